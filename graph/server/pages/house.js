/* What the pages of this house share: asking the API, telling what goes wrong, the weather, and what is said in a room.
   The names of elements are the same on every page. */
"use strict";

const house = (function () {
  const connection = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16)).join("");
  const $ = (id) => document.getElementById(id);
  let ahead = 0;               // by how much the house's clock is ahead of ours
  const clock = () => Date.now() + ahead;

  // -- what is said to the person -----------------------------------------------------------------------------

  const problem = (text) => { $("problem").textContent = text || ""; };

  class Refused extends Error {}

  /** Do something; what goes wrong is told, and never swallowed. */
  async function trying(work) {
    problem("");
    try {
      return await work();
    } catch (error) {
      problem(error instanceof Refused ? error.message : `That did not work: ${error.message}`);
      return undefined;
    }
  }

  // -- asking -------------------------------------------------------------------------------------------------

  async function ask(query, variables, more) {
    let response;
    try {
      response = await fetch("/graphql", {
        method: "POST",
        headers: { "content-type": "application/json", "x-requested-with": "casset-page" },
        body: JSON.stringify({ query, variables }),
        ...more,
      });
    } catch {
      throw new Refused("The house cannot be reached. Trying again by itself.");
    }
    // The moment something happens is by the house's clock.
    ahead = Date.parse(response.headers.get("date")) - Date.now() || 0;
    const answer = await response.json().catch(() => ({}));
    const error = (answer.errors || [answer])[0];
    if (!answer.data || answer.errors) {
      throw new Refused((error && (error.message || error.detail)) || `The house answered ${response.status}.`);
    }
    return answer.data;
  }

  /** Run one mutation; a refusal is an error with its sentence. */
  async function act(name, input, asked, more) {
    const type = name[0].toUpperCase() + name.slice(1) + "Input";
    const types = { joinRoom: "RoomInput" };
    const query = `mutation ($input: ${types[name] || type}!) { ${name}(input: $input) {
      __typename ... on UserError { message } ${asked || ""} } }`;
    const done = (await ask(query, { input }, more))[name];
    if (done.message !== undefined) throw new Refused(done.message);
    return done;
  }

  /** Ask until it is answered, longer and longer apart; null once the page has gone on with something else. */
  async function answered(query, variables, { goesOn, waiting, longest }) {
    for (let wait = 500; goesOn(); wait = Math.min(wait * 2, longest)) {
      try {
        const read = await ask(query, variables);
        return goesOn() ? read : null;
      } catch (error) {
        if (!goesOn()) return null;
        waiting();
        problem(error.message);
        await new Promise((done) => setTimeout(done, wait * (0.5 + Math.random())));
      }
    }
    return null;
  }

  // -- the world it is in -------------------------------------------------------------------------------------

  /** Wear the tokens of a theme, and a picture or a loop behind everything, which stays where it is the same. */
  function wear(theme, visual, picture) {
    const style = document.documentElement.style;
    for (const [name, value] of Object.entries((theme && theme.tokens) || {})) style.setProperty(`--${name}`, value);
    if (visual && visual.colour) style.setProperty("--glow", visual.colour);
    const base = getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g) || [0, 0, 0];
    document.documentElement.classList.toggle("light", base[0] * 0.3 + base[1] * 0.59 + base[2] * 0.11 > 140);
    $("weather").dataset.texture = ((visual && visual.texture) || "").toLowerCase().replace("_", "-");
    const shown = $("weather").firstChild;
    if (picture && shown && shown.dataset.id === picture.id) return;
    $("weather").replaceChildren();
    if (!picture) return;
    const isLoop = (picture.mimeType || "").startsWith("video/");
    const media = document.createElement(isLoop ? "video" : "img");
    if (isLoop) Object.assign(media, { muted: true, loop: true, autoplay: true, playsInline: true });
    else media.alt = "";
    media.dataset.id = picture.id;
    media.src = `/api/media/${picture.id}`;
    media.addEventListener("error", () => media.remove());
    $("weather").append(media);
  }

  // -- what is said in a room ---------------------------------------------------------------------------------

  /** The list of what is said, which keeps so many lines. */
  class Messages {
    constructor(kept) {
      this.kept = kept;
      this.said = new Map();      // the words that are shown, by message
    }

    begin(messages) {
      this.said.clear();
      $("messages").replaceChildren();
      for (const message of messages.slice().reverse()) this.say(message.id, message.handle, message.text);
    }

    append(line) {
      const list = $("messages");
      const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
      list.append(line);
      while (list.children.length > this.kept) {
        this.said.delete(list.firstChild.dataset.id);
        list.firstChild.remove();
      }
      if (isAtEnd) list.scrollTop = list.scrollHeight;
    }

    say(message, who, text) {
      if (this.said.has(message)) return;
      const line = document.createElement("li"), name = document.createElement("b"), words = document.createElement("span");
      name.textContent = who || "somebody";
      line.dataset.id = message;
      line.append(name, words);
      this.said.set(message, words);
      this.write(message, text);
      this.append(line);
    }

    /** What a message says, if it is shown; null where it was taken back. */
    write(message, text) {
      const words = this.said.get(message);
      if (!words) return;
      words.textContent = text === null ? "took it back" : text;
      words.className = text === null ? "quiet" : "";
    }
  }

  /** Let people come with a name and go, and say something. The page says which room it shows, if any. */
  function open({ room, enter, beat, via }) {
    $("say").addEventListener("submit", (event) => {
      event.preventDefault();
      const text = $("text").value;
      // Said once, however often it has to be sent.
      const idempotencyKey = connection + Date.now();
      trying(async () => {
        await act("sendMessage", { room: room(), text, idempotencyKey });
        if ($("text").value === text) $("text").value = "";
      });
    });
    const stepOut = (...more) => act("stepOut", { room: room(), connection }, ...more);
    $("enter").addEventListener("submit", (event) => {
      event.preventDefault();
      const given = Object.fromEntries(new FormData(event.target));
      const isNew = event.submitter && event.submitter.value === "up";
      trying(async () => {
        // Who had no name goes, and comes back with one.
        if (room()) await stepOut();
        try {
          if (isNew) await act("signUp", { handle: given.handle, email: given.email, password: given.password, via });
          else await act("signIn", { name: given.handle, password: given.password });
          event.target.reset();
        } catch (error) {
          if (room()) await beat();
          throw error;
        }
        await enter();
      });
    });
    $("leave").addEventListener("click", () => trying(async () => {
      if (room()) await stepOut();
      await act("signOut", {});
      await enter();
    }));
    addEventListener("pagehide", () => {
      if (room()) stepOut("", { keepalive: true }).catch(() => {});
    });
    addEventListener("pageshow", (event) => event.persisted && enter());
    enter();
  }

  return { $, connection, clock, problem, Refused, trying, ask, act, answered, wear, Messages, open };
})();
