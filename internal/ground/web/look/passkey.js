// Passkeys: the one thing of these pages that cannot work without a script
// (decision 8). Everything else on them does, so nothing here may be needed.
//
// A page writes
//   <form method="post" action="/login/passkey" data-passkey="get" data-options="/login/passkey/options" hidden>
//     <input type="hidden" name="response">
//     <button type="submit">…</button>
//     <p role="alert" data-failed hidden>…</p>   what to do when it was broken off
//     <p role="alert" data-known hidden>…</p>    "create" only: this device has one already
//   </form>
// data-passkey is "get" or "create". The form appears where passkeys work; what
// carries data-without-passkey goes away there. The options come by POST as
// JSON; the authenticator's answer is posted in the field "response", so that
// the portal answers as it answers every form. With data-autofill, passkeys are
// offered in the field with autocomplete="username webauthn", too.
(() => {
  "use strict";
  if (!window.PublicKeyCredential || !navigator.credentials) return;

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  // Not every browser of the last years has parse…FromJSON and toJSON.
  function read(options) {
    const o = { ...options, challenge: bytes(options.challenge) };
    if (o.user) o.user = { ...o.user, id: bytes(o.user.id) };
    for (const list of ["excludeCredentials", "allowCredentials"]) {
      if (o[list]) o[list] = o[list].map((c) => ({ ...c, id: bytes(c.id) }));
    }
    return o;
  }

  function write(credential) {
    const r = credential.response;
    const response = { clientDataJSON: text(r.clientDataJSON) };
    if (r.attestationObject) {
      response.attestationObject = text(r.attestationObject);
      response.transports = r.getTransports ? r.getTransports() : [];
    } else {
      response.authenticatorData = text(r.authenticatorData);
      response.signature = text(r.signature);
      if (r.userHandle) response.userHandle = text(r.userHandle);
    }
    return JSON.stringify({
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      authenticatorAttachment: credential.authenticatorAttachment || undefined,
      clientExtensionResults: credential.getClientExtensionResults(),
      response,
    });
  }

  async function run(form, more) {
    const answer = await fetch(form.dataset.options, { method: "POST", headers: { Accept: "application/json" }, signal: more.signal });
    if (!answer.ok) throw new Error("options: " + answer.status);
    const publicKey = read((await answer.json()).publicKey);
    const credential = await navigator.credentials[form.dataset.passkey]({ publicKey, ...more });
    form.elements.response.value = write(credential);
    form.submit();
  }

  function tell(form, what) {
    for (const p of form.querySelectorAll("[data-failed], [data-known]")) p.hidden = true;
    const p = what && form.querySelector(what);
    if (p) p.hidden = false;
  }

  // The offer in the field and the button never run side by side: this browser
  // answers the question it was asked last.
  let pressed = false;
  let withdraw = async () => {};

  function begin(form) {
    const button = form.querySelector("button");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (button.disabled) return;
      button.disabled = pressed = true;
      tell(form, null);
      try {
        await withdraw();
        await run(form, {});
      } catch (err) {
        tell(form, err.name === "InvalidStateError" && form.querySelector("[data-known]") ? "[data-known]" : "[data-failed]");
        button.disabled = false;
        button.focus();
      }
    });
    form.hidden = false;
  }

  async function offer(form) {
    const can = PublicKeyCredential.isConditionalMediationAvailable;
    if (!can || !(await can.call(PublicKeyCredential)) || pressed) return;
    const stop = new AbortController();
    const over = run(form, { mediation: "conditional", signal: stop.signal }).catch(() => {}); // nobody chose one
    withdraw = () => {
      stop.abort();
      return over;
    };
  }

  // Coming back by the browser's button must not find a dead one.
  addEventListener("pageshow", () => {
    for (const b of document.querySelectorAll("form[data-passkey] button")) b.disabled = false;
  });

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    begin(form);
    if ("autofill" in form.dataset) offer(form);
  }
  for (const e of document.querySelectorAll("[data-without-passkey]")) e.hidden = true;
})();
