// Streamlit runs this text as a module that has no address, and so can name no other file; the page's data name the view.
export default async (component) => {
  const { script, token } = component.data;
  const view = await import(new URL(script, location.href)).catch(() => null);
  return view ? view.default(component) : component.setTriggerValue("unreachable", token);
};
