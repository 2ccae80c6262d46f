// Streamlit runs this text as a module that has no address, and so can name no other file; the page's data name the view.
export default async (component) => (await import(new URL(component.data.script, location.href))).default(component);
