"use strict";
(() => {
  const base = location.pathname;
  const storage = "postern-outbox:" + base;
  const [main, log, form, input, state, typing, welcome] =
    ["main", "#log", "#form", "#text", "#state", "#typing", "#welcome"].map((s) => document.querySelector(s));
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  // ---- What is on the page ---------------------------------------------------

  // Messages by the host's id, so that none is shown twice.
  const shown = new Map();
  let last = 0;
  let typingEnds;

  function draw(author, text) {
    const item = document.createElement("li");
    item.className = author;
    const who = document.createElement("span");
    who.className = "unseen";
    who.textContent = author === "customer" ? "You: " : "Answer: ";
    const words = document.createElement("p");
    words.textContent = text;
    const note = document.createElement("small");
    item.append(who, words, note);
    welcome.hidden = true;
    return item;
  }

  function note(item, text) {
    item.querySelector("small").textContent = text;
  }

  // Waiting messages stay below everything that the host has confirmed.
  function place(item) {
    const waiting = [...log.querySelectorAll(".waiting")].find((other) => other !== item) ?? null;
    if (!item.isConnected || (waiting && item.compareDocumentPosition(waiting) & Node.DOCUMENT_POSITION_PRECEDING)) {
      log.insertBefore(item, waiting);
    }
    main.scrollTop = main.scrollHeight;
  }

  function setTyping(on) {
    clearTimeout(typingEnds);
    typing.hidden = !on;
    if (on) {
      main.scrollTop = main.scrollHeight;
      // Nobody may be there to answer at once.
      typingEnds = setTimeout(() => setTyping(false), 60000);
    }
  }

  function say(text, lost) {
    state.textContent = text;
    state.classList.toggle("lost", Boolean(lost));
  }

  // A keyboard that slides in must not cover the last message.
  addEventListener("resize", () => { main.scrollTop = main.scrollHeight; });

  // ---- Receiving -------------------------------------------------------------

  let source;
  let failures = 0;
  // Events wait for the answer to a message that is being sent: it tells the
  // message's id.
  let sending = Promise.resolve();
  let receiving = Promise.resolve();

  function receive(message) {
    if (message.seq <= last) return;
    last = message.seq;
    const item = shown.get(message.id) ?? draw(message.author, message.text);
    shown.set(message.id, item);
    settle(item);
    note(item, new Date(message.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
    place(item);
    if (message.author === "bot") setTyping(false);
  }

  async function session() {
    const answer = await fetch(base + "/session", { method: "POST" });
    if (!answer.ok) throw new Error(String(answer.status));
  }

  async function connect() {
    try {
      await session();
    } catch {
      return connectLater();
    }
    source = new EventSource(`${base}/events?after=${last}`);
    source.addEventListener("message", (event) => {
      const message = JSON.parse(event.data);
      receiving = receiving.then(() => sending).then(() => receive(message));
    });
    source.addEventListener("ready", () => {
      failures = 0;
      say("Connected");
      receiving = receiving.then(() => log.setAttribute("aria-busy", "false"));
      receiving.then(flush);
    });
    source.onerror = () => {
      say("Connecting again …", true);
      // The browser tries by itself unless the host refused.
      if (source.readyState === EventSource.CLOSED) connectLater();
    };
  }

  function connectLater() {
    say("Connecting again …", true);
    failures += 1;
    setTimeout(connect, Math.min(30000, 1000 * 2 ** failures) * (0.5 + Math.random() / 2));
  }

  // ---- Sending ---------------------------------------------------------------

  // What is still to be sent, and what the host has not shown us yet. The latter
  // survives a reload of the page and is sent again then; the id makes sure that
  // it is not kept twice.
  const outbox = [];
  const unconfirmed = new Set();
  let flushing = false;

  function remember() {
    try {
      sessionStorage.setItem(storage, JSON.stringify([...unconfirmed].map(({ id, text }) => ({ id, text }))));
    } catch {
      // Without storage a reload may lose what was not sent.
    }
  }

  function settle(item) {
    item.classList.remove("waiting");
    for (const message of unconfirmed) if (message.item === item) unconfirmed.delete(message);
    remember();
  }

  function enqueue(id, text) {
    const item = draw("customer", text);
    item.classList.add("waiting");
    note(item, "Sending …");
    log.append(item);
    main.scrollTop = main.scrollHeight;
    const message = { id, text, item };
    outbox.push(message);
    unconfirmed.add(message);
    remember();
  }

  async function post({ id, text }) {
    const answer = await fetch(base + "/messages", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ id, text }),
    });
    return { status: answer.status, after: Number(answer.headers.get("retry-after")), body: await answer.json() };
  }

  function sent(message, id) {
    if (shown.has(id)) {
      // Its event came before: the page was loaded again meanwhile.
      settle(message.item);
      message.item.remove();
      return;
    }
    shown.set(id, message.item);
    note(message.item, "Sent");
    setTyping(true);
  }

  async function flush() {
    if (flushing) return;
    flushing = true;
    let tries = 0;
    while (outbox.length > 0) {
      const message = outbox[0];
      const answer = post(message).catch(() => ({ status: 0 }));
      sending = answer.then(({ status, body }) => {
        if (status === 202) sent(message, body.message);
      });
      const { status, after } = await answer;
      await sending;
      if (status === 202) {
        outbox.shift();
        tries = 0;
      } else if ([0, 401, 429].includes(status) || status >= 500) {
        tries += 1;
        note(message.item, "Not sent yet, trying again …");
        await pause(Math.max(1000 * (after || 0), Math.min(30000, 500 * 2 ** tries)));
        if (status === 401) await session().catch(() => {});
      } else {
        outbox.shift();
        settle(message.item);
        message.item.classList.add("failed");
        note(message.item, "Not sent: the host did not take this message.");
      }
    }
    flushing = false;
  }

  function newId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (text === "") return;
    input.value = "";
    input.focus();
    enqueue(newId(), text);
    flush();
  });

  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });

  try {
    for (const { id, text } of JSON.parse(sessionStorage.getItem(storage) ?? "[]")) enqueue(id, text);
  } catch {
    // Nothing that can be sent was left behind.
  }
  connect();
})();
