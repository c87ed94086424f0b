// Passkeys: asks the device for what the server wants and sends its answer with the form.
//   <form data-passkey="create" data-options="{…}">   makes one; "get" shows one
//   data-options-from="<address>"                      asks for the options when the button is pressed (sign-in)
// The form has a hidden field named credential, and an element [data-passkey-wrong] that says what went wrong.
const api = window.PublicKeyCredential;
const can = Boolean(api?.parseCreationOptionsFromJSON && api?.parseRequestOptionsFromJSON);
const WORDS = {
  none: "This browser cannot use passkeys here. Use a code instead.",
  away: "The passkey could not be asked for. Try again.",
  NotAllowedError: "No passkey was used: it was cancelled, or there is none for this page.",
  SecurityError: "Passkeys need the name of the site, not its number: open this page under localhost or its host name.",
  InvalidStateError: "This device has a passkey for you already.",
};

async function wanted(form) {
  if (form.dataset.options) return JSON.parse(form.dataset.options);
  const answer = await fetch(form.dataset.optionsFrom, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error("away");
  return (await answer.json()).request_options;
}

async function made({ publicKey }) {
  // It also signs in by itself, so the device keeps it and asks for PIN or finger.
  publicKey.authenticatorSelection = { ...publicKey.authenticatorSelection, residentKey: "required", requireResidentKey: true, userVerification: "required" };
  return navigator.credentials.create({ publicKey: api.parseCreationOptionsFromJSON(publicKey) });
}

async function shown({ publicKey }) {
  return navigator.credentials.get({ publicKey: api.parseRequestOptionsFromJSON(publicKey) });
}

async function ask(form) {
  const wrong = form.querySelector("[data-passkey-wrong]");
  wrong.hidden = true;
  try {
    if (!can) throw new Error("none");
    const credential = await (form.dataset.passkey === "create" ? made : shown)(await wanted(form));
    form.elements.credential.value = JSON.stringify(credential.toJSON());
    form.submit();
  } catch (error) {
    wrong.textContent = WORDS[error.name] ?? WORDS[error.message] ?? WORDS.away;
    wrong.hidden = false;
  }
}

// Before forms.js counts the press: this form is sent when the device has answered.
addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-passkey]")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  ask(form);
}, { capture: true });
