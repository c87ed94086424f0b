// The choices in the user menu: theme and density. Kept in cookies, so theme.js knows them before painting.

const YEAR_SECONDS = 31536000;

function chosen(name) {
  return (document.cookie.match(`(?:^|; )aos-${name}=(\\w+)`) || [])[1];
}

const form = document.querySelector("[data-settings]");
if (form) {
  for (const field of form.querySelectorAll("fieldset[name]")) {
    const value = chosen(field.name);
    const input = value && field.querySelector(`input[value="${value}"]`);
    if (input) input.checked = true;
  }
  form.addEventListener("change", ({ target }) => {
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `aos-${target.name}=${target.value}; path=/; max-age=${YEAR_SECONDS}; samesite=lax${secure}`;
    const here = new URL(location.href);
    here.searchParams.delete(target.name); // a choice made now outweighs the one in the address
    history.replaceState(history.state, "", here);
    dispatchEvent(new Event("aos:settings"));
  });
}
