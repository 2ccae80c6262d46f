// Streamlit runs this text as a module without an address, so relative imports fail; the page's data name the view.
export default async (component) => {
  const { script, token } = component.data;
  const view = await import(new URL(script, location.href)).catch(() => null);
  return view ? view.default(component) : component.setTriggerValue("unreachable", token);
};
