/* A room in a browser, by the public API alone: /graphql over HTTP and over graphql-transport-ws. */
"use strict";

(function () {
  const handle = decodeURIComponent(location.pathname.split("/")[2] || "");
  const { $, connection, problem, Refused, trying, ask, act } = house;
  const REACTIONS = ["HEART", "FIRE", "CLAP", "WAVE", "SPARK", "TEARS"];
  const TOLD = {
    COMMENT: "left a comment", FOLLOWED: "follows this world", COLLECTED: "keeps something of it",
    SUPPORTED: "supports it", CLIP_APPROVED: "has a clip here", RELEASE_PUBLISHED: "A release is out",
  };
  const PING = 5000, PATIENCE = 12000, LONGEST_WAIT = 10000, KEPT = 500;
  const NOW = `now { since track { id title durationMs owner { name } } hook { id caption startMs durationMs
    playback { url durationMs } } visualWorld { colour texture source { id mimeType } } }`;
  const ENTER = `query ($handle: String!) {
    viewer { account { handle } }
    world(handle: $handle) { name artist { id } theme { tokens { base surface accent glow } }
      visualWorld { colour texture source { id mimeType } }
      room { id title lastEvent heat standing { isHost joinedAt mutedUntil } ${NOW}
        present { count anonymous people { handle } }
        messages(first: 50) { nodes { id handle text } } } } }`;
  const EVENTS = `subscription ($room: ID!, $after: String) { roomEvents(roomId: $room, after: $after) {
    id kind at person { handle } message { id text } reaction heat title } }`;
  const PRESENCE = `subscription ($room: ID!) { presence(roomId: $room) {
    kind count anonymous came { handle } left { handle } } }`;

  const messages = new house.Messages(KEPT);
  let people = new Set();
  let room = null, artist = null, last = null, me = null, line = null, beating = 0, coming = 0;
  const state = (text) => { $("state").textContent = text; };

  // -- showing ------------------------------------------------------------------------------------------------

  const wear = (theme, visual) => house.wear(theme, visual, visual && visual.source);

  function note(text) {
    const item = document.createElement("li");
    item.className = "quiet";
    item.textContent = text;
    messages.append(item);
  }

  function crowd(count, anonymous) {
    $("count").textContent = count;
    $("people").replaceChildren(...[...people].sort().map((name) => {
      const item = document.createElement("li");
      item.textContent = name;
      return item;
    }));
    $("anonymous").textContent = anonymous ? `and ${anonymous} without a name` : "";
  }

  function gathered(present) {
    people = new Set(present ? present.people.map((person) => person.handle) : []);
    crowd(present ? present.count : 0, present ? present.anonymous : 0);
  }

  function heat(value) {
    $("heat").value = value;
    $("heat").textContent = Math.round(value);
  }

  // -- hearing ------------------------------------------------------------------------------------------------

  let playing = null;  // what is heard

  async function hear(now) {
    const track = now && now.track;
    playing = now && (track || now.hook) ? now : null;
    const title = track ? `${track.title} · ${track.owner ? track.owner.name : ""}` : "something you may not see yet";
    $("now").textContent = now ? title + (now.hook ? " (its hook)" : "") : "Nothing is heard.";
    $("listen").hidden = !playing;
    if (!$("sound").paused || !playing) await sound();
  }

  /** Play what the room hears, from where the room is. */
  async function sound() {
    const audio = $("sound");
    audio.pause();
    $("listen").textContent = "Listen along";
    if (!playing || audio.dataset.off === "yes") return;
    let told = playing.hook && playing.hook.playback;
    if (!playing.hook) {
      const response = await fetch("/api/audio/token", {
        method: "POST",
        headers: { "content-type": "application/json", "x-requested-with": "casset-room" },
        body: JSON.stringify({ trackId: playing.track.id }),
      });
      told = response.ok ? await response.json() : null;
    }
    if (!told) throw new Refused("There is nothing to hear for you here.");
    // It goes round until something else is heard: everybody is at the same place of it.
    const since = Math.max(house.clock() - Date.parse(playing.since), 0);
    audio.loop = true;
    audio.src = told.url;
    audio.currentTime = (since % told.durationMs) / 1000;
    await audio.play();
    $("listen").textContent = "Stop listening";
  }

  async function changed() {
    const told = await ask(`query ($id: ID!) { node(id: $id) { ... on Room { ${NOW} } } }`, { id: room });
    if (!told.node) return;
    const visual = told.node.now && told.node.now.visualWorld;
    if (visual) wear(null, visual);
    await hear(told.node.now);
  }

  // -- coming in ----------------------------------------------------------------------------------------------

  async function enter() {
    const turn = ++coming;
    const goesOn = () => turn === coming;
    const waiting = () => state("Not connected.");
    const told = await house.answered(ENTER, { handle }, { goesOn, waiting, longest: LONGEST_WAIT });
    if (!told) return undefined;
    problem("");
    me = told.viewer && told.viewer.account.handle;
    $("me").textContent = me ? `You are ${me}.` : "You are not signed in: you listen and read.";
    $("enter").hidden = Boolean(me);
    $("leave").hidden = !me;
    $("address").textContent = `/${handle}`;
    if (!told.world) return shut("There is no world at this address.");
    artist = told.world.artist.id;
    $("title").textContent = told.world.name;
    wear(told.world.theme, told.world.visualWorld);
    const here = told.world.room;
    if (!here) {
      shut(me ? "No room is open here, or not for you." : "No room is open here for you. Sign in first.");
      $("open").hidden = !me;
      return undefined;
    }
    show(here, told.world);
    if (line) line.end();
    line = new Line();
    await beat();
    return undefined;
  }

  function show(here, world) {
    room = here.id;
    last = here.lastEvent;
    $("open").hidden = true;
    $("room").hidden = false;
    document.title = `Casset · ${here.title || world.name}`;
    $("title").textContent = here.title || world.name;
    const mayJoin = me && here.standing && !here.standing.joinedAt;
    $("join").hidden = !mayJoin;
    for (const field of $("say").elements) field.disabled = !me;
    for (const button of $("reactions").children) button.disabled = !me;
    messages.begin(here.messages.nodes);
    gathered(here.present);
    heat(here.heat);
    if (here.now && here.now.visualWorld) wear(null, here.now.visualWorld);
    trying(() => hear(here.now));
  }

  /** The room is not there, or not for this person. */
  function shut(why) {
    room = null;
    clearTimeout(beating);
    if (line) line.end();
    line = null;
    $("room").hidden = true;
    $("sound").pause();
    state(why);
  }

  async function beat() {
    clearTimeout(beating);
    let again = 5;
    try {
      const asked = "... on HeartbeatSuccess { againSeconds room { heat } }";
      const told = await act("heartbeat", { room, connection }, asked);
      again = told.againSeconds;
      if (told.room) heat(told.room.heat);
    } catch (error) {
      // The line says how it is going.
      if (room && navigator.onLine) state(error.message);
    }
    if (room) beating = setTimeout(beat, again * 1000);
  }

  // -- the line to the house ----------------------------------------------------------------------------------

  class Line {
    constructor() {
      this.wait = 500;
      this.open();
    }

    open() {
      clearTimeout(this.opening);
      state(this.lost ? "Coming back…" : "Coming in…");
      const socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/graphql", "graphql-transport-ws");
      this.socket = socket;
      this.heard = Date.now();
      const send = (message) => socket.send(JSON.stringify(message));
      socket.onopen = () => send({ type: "connection_init" });
      socket.onmessage = ({ data }) => {
        this.heard = Date.now();
        this.take(JSON.parse(data), send);
      };
      socket.onclose = ({ code }) => this.close(code);
      this.pinging = setInterval(() => {
        if (Date.now() - this.heard > PATIENCE) this.close(0);
        else if (socket.readyState === WebSocket.OPEN) send({ type: "ping" });
      }, PING);
    }

    take(message, send) {
      if (message.type === "connection_ack") {
        // Whoever was away goes on after what they saw last.
        send({ id: "events", type: "subscribe", payload: { query: EVENTS, variables: { room, after: last } } });
        send({ id: "presence", type: "subscribe", payload: { query: PRESENCE, variables: { room } } });
        this.wait = 500;
        this.lost = false;
        state("You are in the room.");
        problem("");
      } else if (message.type === "next") {
        const { data, errors } = message.payload;
        if (errors) problem(errors[0].message);
        else if (message.id === "events") trying(() => happened(data.roomEvents));
        else met(data.presence);
      } else if (message.type === "error") {
        problem(message.payload[0].message);
        enter();
      } else if (message.type === "complete") {
        // It ends where one may not be: ask how things stand.
        enter();
      }
    }

    close(code) {
      this.end();
      if (code === 4403) return void enter();
      this.lost = true;
      const wait = this.wait * (0.5 + Math.random());
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
      state("The line is cut. What is said meanwhile is not lost.");
      this.opening = setTimeout(() => this.open(), wait);
      return undefined;
    }

    end() {
      clearTimeout(this.opening);
      clearInterval(this.pinging);
      if (!this.socket) return;
      this.socket.onclose = this.socket.onmessage = this.socket.onopen = null;
      this.socket.close();
    }
  }

  function happened(event) {
    last = event.id;
    const who = event.person && event.person.handle;
    switch (event.kind) {
      case "RESET": return enter();
      case "MESSAGE": return void messages.say(event.message.id, who, event.message.text);
      case "MESSAGE_DELETED": return void messages.write(event.message.id, null);
      case "NOW_CHANGED": return changed();
      case "HEAT_CHANGED": return void heat(event.heat);
      case "REACTION": {
        const button = $("reactions").querySelector(`[data-reaction="${event.reaction}"]`);
        const count = Number(button.dataset.count || 0) + 1;
        button.dataset.count = count;
        button.querySelector("span").textContent = ` ${count}`;
        button.classList.remove("heard");
        void button.offsetWidth;
        return void button.classList.add("heard");
      }
      default:
        if (TOLD[event.kind]) note(event.title ? `${TOLD[event.kind]}: ${event.title}` : `${who || "Somebody"} ${TOLD[event.kind]}`);
        return undefined;
    }
  }

  function met(step) {
    if (step.kind === "SNAPSHOT") people = new Set();
    for (const person of step.left) people.delete(person.handle);
    for (const person of step.came) people.add(person.handle);
    crowd(step.count, step.anonymous);
    if (step.kind === "SUMMARY") trying(crowded);
  }

  async function crowded() {
    const told = await ask("query ($id: ID!) { node(id: $id) { ... on Room { present { count anonymous people { handle } } } } }", { id: room });
    if (told.node) gathered(told.node.present);
  }

  // -- what the person does -----------------------------------------------------------------------------------

  for (const reaction of REACTIONS) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.reaction = reaction;
    button.append(reaction.toLowerCase(), document.createElement("span"));
    button.addEventListener("click", () => trying(() => act("react", { room, reaction })));
    $("reactions").append(button);
  }

  $("join").addEventListener("click", () => trying(async () => {
    await act("joinRoom", { room });
    $("join").hidden = true;
    state("You joined this room.");
  }));
  $("open").addEventListener("click", () => trying(async () => {
    await act("openRoom", { subject: artist });
    await enter();
  }));
  $("listen").addEventListener("click", () => trying(async () => {
    const audio = $("sound");
    audio.dataset.off = audio.paused ? "no" : "yes";
    await sound();
  }));
  addEventListener("online", () => line && line.lost && line.open());
  house.open({ room: () => room, enter, beat });
})();
