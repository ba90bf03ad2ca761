/* The page of a ritual, by the public API alone: /graphql, and what happens in its room as an event stream. */
"use strict";

(function () {
  const id = location.pathname.split("/").pop();
  const via = new URLSearchParams(location.search).get("via") || undefined;
  const { $, connection, clock, problem, Refused, trying, ask, act } = house;
  const AGAIN = 60000, SOON = 3000, LONGEST_WAIT = 15000, KEPT = 200, HEARD = 10000;
  const VISUAL = "visualWorld { colour texture lyricBehaviour source { id mimeType } }";
  const HOOK = `hook { id caption startMs durationMs waveform ${VISUAL} track { title }
    timedText { startMs endMs text } playback { url durationMs } }`;
  const ROOM = `room { id lastEvent now { since hook { caption } track { title } }
    present { count anonymous people { handle } } messages(first: 30) { nodes { id handle text } } }`;
  const RITUAL = `title state opensAt releasesAt endsAt presaveCount
    firstSupporters(first: 24) { nodes { handle nth } } participation { nth isNamed proof }
    unlockScope unlocked { title } memory { presaves people messages reactions clips bestMoments }`;
  const ENTER = `query ($id: ID!) { viewer { account { handle } } ritual(id: $id) { ${RITUAL}
    world { name handle theme { tokens { base surface accent glow gradientEnd } } ${VISUAL} }
    ${HOOK} release { title cover { source { id mimeType } } ${HOOK} } ${ROOM} } }`;
  const AFRESH = `query ($id: ID!) { ritual(id: $id) { ${RITUAL} } }`;

  const messages = new house.Messages(KEPT);
  let ritual = null, me = null, room = null, song = null, stream = null, entering = 0;
  let reading = 0, beating = 0, ticking = 0, heard = 0, counted = false, told = "";

  // -- what is said to the person -----------------------------------------------------------------------------

  // A sentence is read aloud when it is another one.
  const state = (text) => { if (text !== told) $("state").textContent = told = text; };
  const moment = (text) => new Date(text).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });

  // -- the time until it is out -------------------------------------------------------------------------------

  const SAID = {
    ANNOUNCED: () => `The room opens ${moment(ritual.opensAt)}. Be there first.`,
    OPEN: () => "The room is open. It is not out yet.",
    RELEASED: () => `It is out. It becomes a memory ${moment(ritual.endsAt)}.`,
    MEMORY: () => "It is over, and remembered.",
    CANCELLED: () => "It was called off.",
  };
  const isAwaited = () => ritual.state === "ANNOUNCED" || ritual.state === "OPEN";
  const next = () => ({ ANNOUNCED: ritual.opensAt, OPEN: ritual.releasesAt, RELEASED: ritual.endsAt })[ritual.state];

  function tick() {
    clearTimeout(ticking);
    if (!ritual) return;
    const left = Math.max(Date.parse(ritual.releasesAt) - clock(), 0);
    const seconds = Math.floor(left / 1000);
    const parts = { days: Math.floor(seconds / 86400), hours: Math.floor(seconds / 3600) % 24,
      minutes: Math.floor(seconds / 60) % 60, seconds: seconds % 60 };
    for (const [name, value] of Object.entries(parts)) {
      $(name).textContent = name === "days" ? value : String(value).padStart(2, "0");
    }
    $("clock-title").textContent = left > 0 ? "Out in" : "Any moment now";
    if (isAwaited()) ticking = setTimeout(tick, 1000 - (clock() % 1000));
  }

  /** Read the ritual again by and by: soon where something is due, and now and then for who came meanwhile. */
  function watch(wait) {
    clearTimeout(reading);
    if (!ritual || ritual.state === "MEMORY" || ritual.state === "CANCELLED") return;
    const due = Date.parse(next()) - clock();
    const turn = entering;
    reading = setTimeout(async () => {
      try {
        const read = await ask(AFRESH, { id });
        if (turn !== entering) return;
        const before = ritual.state;
        ritual = { ...ritual, ...read.ritual };
        // What is out may be heard whole, and a room that opened has a door: read all of it.
        if (ritual.state !== before) return void enter();
        show();
        watch(due < 0 ? Math.min((wait || SOON) * 2, LONGEST_WAIT) : undefined);
      } catch (error) {
        problem(error.message);
        watch(Math.min((wait || SOON) * 2, LONGEST_WAIT));
      }
    }, wait || (due < 0 ? SOON : Math.min(due + 500, AGAIN)));
  }

  // -- showing ------------------------------------------------------------------------------------------------

  const item = (text, more) => Object.assign(document.createElement("li"), { textContent: text, ...more });

  function show() {
    state(SAID[ritual.state]());
    $("awaited").hidden = !isAwaited();
    $("when").textContent = moment(ritual.releasesAt);
    tick();
    const mine = ritual.participation;
    $("presave").textContent = mine ? "You will be there" : "Be there first";
    $("presave").disabled = Boolean(mine && mine.isNamed === $("named").checked);
    $("mine").textContent = mine ? `You are number ${mine.nth}.` : "";
    const promised = ritual.unlocked ? ritual.unlocked.title : "more of this world";
    $("unlocks").textContent = ritual.unlockScope ? `Who is there first gets ${promised} when it is out.` : "";
    const count = ritual.presaveCount;
    const waits = isAwaited() ? (count === 1 ? "is waiting." : "are waiting.") : (count === 1 ? "was there first." : "were there first.");
    $("waiting").textContent = count ? `${count} ${waits}` : "Nobody yet: you could be the first.";
    if (!count && !isAwaited()) $("waiting").textContent = "Nobody was named.";
    $("supporters").replaceChildren(...ritual.firstSupporters.nodes.map((each) => item(each.handle, { value: each.nth })));
    remember();
  }

  function remember() {
    const memory = ritual.memory, mine = ritual.participation;
    $("memory").hidden = !memory;
    if (!memory) return;
    const numbers = { people: memory.people, "there first": memory.presaves, said: memory.messages,
      reactions: memory.reactions, clips: memory.clips };
    $("numbers").replaceChildren(...Object.entries(numbers).map(([name, value]) => {
      const row = document.createElement("div"), term = document.createElement("dt"), number = document.createElement("dd");
      term.textContent = name;
      number.textContent = value;
      row.append(term, number);
      return row;
    }));
    const times = memory.bestMoments.map((at) => new Date(at).toLocaleTimeString([], { timeStyle: "short" }));
    $("moments").textContent = times.length ? `It was loudest at ${times.join(", ")}.` : "";
    $("nth").textContent = mine ? `You were number ${mine.nth} of ${memory.presaves}.` : "";
    $("proof").hidden = !(mine && mine.proof);
    if (mine && mine.proof) $("proof-text").textContent = JSON.stringify(JSON.parse(mine.proof), null, 2);
  }

  function showSong(hook, title) {
    $("song").hidden = !hook;
    song = hook && hook.playback ? hook : null;
    if (!hook) return;
    $("song-title").textContent = (hook.track && hook.track.title) || title || "The hook";
    $("caption").textContent = hook.caption || "";
    $("play").hidden = !song;
    const peaks = hook.waveform || [], bars = Math.min(peaks.length, 80);
    $("wave").hidden = !bars;
    $("wave").replaceChildren(...Array.from({ length: bars }, (_, at) => {
      const bar = document.createElement("i");
      const part = peaks.slice(Math.floor(at * peaks.length / bars), Math.floor((at + 1) * peaks.length / bars) || 1);
      bar.style.height = `${Math.max(6, Math.round(100 * Math.max(...part)))}%`;
      return bar;
    }));
    $("lyrics").replaceChildren(...hook.timedText.map((line) => item(line.text)));
    $("lyrics").hidden = !hook.timedText.length;
  }

  function follow() {
    const audio = $("sound");
    if (audio.paused || !song) return;
    const at = song.startMs + audio.currentTime * 1000;
    const part = audio.currentTime * 1000 / song.playback.durationMs;
    [...$("wave").children].forEach((bar, n, all) => bar.classList.toggle("played", n < part * all.length));
    [...$("lyrics").children].forEach((line, n) => {
      const { startMs, endMs } = song.timedText[n];
      const isSung = at >= startMs && at < endMs;
      if (isSung && !line.classList.contains("sung")) line.scrollIntoView({ block: "nearest" });
      line.classList.toggle("sung", isSung);
    });
    requestAnimationFrame(follow);
  }

  // -- the room -----------------------------------------------------------------------------------------------

  function now(heardNow) {
    const title = heardNow && (heardNow.track ? heardNow.track.title : heardNow.title || "something you may not see yet");
    $("now").textContent = title ? `Heard now: ${title}` : "Nothing is heard yet.";
  }

  function gathered(present) {
    const names = present ? present.people.map((person) => person.handle).sort() : [];
    const others = present ? present.anonymous : 0;
    const all = [...names, ...(others ? [`${others} without a name`] : [])];
    $("here").textContent = all.length ? `Here now: ${all.join(", ")}` : "Nobody is here yet.";
  }

  function enterRoom(here) {
    room = here && here.id;
    $("room").hidden = !here;
    if (stream) stream.close();
    stream = null;
    clearTimeout(beating);
    if (!here) return;
    messages.begin(here.messages.nodes);
    for (const field of $("say").elements) field.disabled = !me;
    $("text").placeholder = me ? "" : "Sign in to say something";
    now(here.now);
    gathered(here.present);
    listen(here.lastEvent);
    beat();
  }

  /** Hear what happens from a place on; the browser comes back by itself with the last it heard. */
  function listen(after) {
    stream = new EventSource(`/api/rooms/${room}/events?after=${encodeURIComponent(after)}`);
    stream.onmessage = ({ data }) => happened(JSON.parse(data));
    stream.onerror = () => {
      // One that is refused does not come back: ask how things stand.
      if (stream && stream.readyState === EventSource.CLOSED) setTimeout(() => trying(enter), SOON);
    };
  }

  function happened(event) {
    const who = event.person && event.person.handle;
    switch (event.kind) {
      case "RESET": return void trying(enter);
      case "MESSAGE": return void messages.say(event.message.id, who, event.message.text);
      case "MESSAGE_DELETED": return void messages.write(event.message.id, null);
      case "NOW_CHANGED": return void now(event.now);
      case "RELEASE_PUBLISHED": return void trying(enter);
      default: return undefined;
    }
  }

  async function beat() {
    clearTimeout(beating);
    let again = 5;
    try {
      const asked = "... on HeartbeatSuccess { againSeconds room { present { count anonymous people { handle } } } }";
      const done = await act("heartbeat", { room, connection }, asked);
      again = done.againSeconds;
      if (done.room) gathered(done.room.present);
    } catch (error) {
      if (room && navigator.onLine) problem(error.message);
    }
    if (room) beating = setTimeout(beat, again * 1000);
  }

  // -- coming in ----------------------------------------------------------------------------------------------

  async function enter() {
    const turn = ++entering;
    const goesOn = () => turn === entering;
    const waiting = () => state("Not connected.");
    const read = await house.answered(ENTER, { id }, { goesOn, waiting, longest: LONGEST_WAIT });
    if (!read) return;
    problem("");
    me = read.viewer && read.viewer.account.handle;
    $("me").textContent = me ? `You are ${me}.` : "You look on without a name.";
    $("enter").hidden = Boolean(me);
    $("leave").hidden = !me;
    ritual = read.ritual;
    $("ritual").hidden = !ritual;
    $("share").hidden = !ritual;
    if (!ritual) return void state("There is no such ritual, or not for you.");
    const { world, release } = ritual, hook = ritual.hook || (release && release.hook);
    $("world").textContent = world.name;
    $("world").href = `/${world.handle}${via ? `?via=${encodeURIComponent(via)}` : ""}`;
    $("title").textContent = ritual.title;
    $("about").textContent = release ? release.title : (hook && hook.track ? hook.track.title : "");
    const visual = (hook && hook.visualWorld) || world.visualWorld;
    const cover = release && release.cover;
    house.wear(world.theme, visual, (visual && visual.source) || (cover && cover.source));
    $("lyrics").dataset.behaviour = ((visual && visual.lyricBehaviour) || "").toLowerCase();
    if (ritual.participation) $("named").checked = ritual.participation.isNamed;
    if ($("sound").paused) showSong(hook, release && release.title);
    show();
    enterRoom(ritual.room);
    watch();
  }

  // -- what the person does -----------------------------------------------------------------------------------

  /** Ask for a name where one is needed. */
  function withName(why) {
    if (me) return;
    $("enter").querySelector("input").focus();
    throw new Refused(`Sign in or sign up first: ${why}`);
  }

  $("share").addEventListener("click", () => trying(async () => {
    withName("then the link is yours, and counts for you.");
    const { link } = await act("createShareLink", { subject: id }, "... on CreateShareLinkSuccess { link { path } }");
    $("shared").textContent = location.origin + link.path;
  }));

  $("be-there").addEventListener("submit", (event) => {
    event.preventDefault();
    trying(async () => {
      withName("then you are in the order of arrival.");
      await act("presave", { ritual: id, isNamed: $("named").checked, via });
      Object.assign(ritual, (await ask(AFRESH, { id })).ritual);
      show();
    });
  });
  $("named").addEventListener("change", () => ritual && show());

  $("play").addEventListener("click", () => trying(async () => {
    const audio = $("sound");
    if (!audio.paused) return audio.pause();
    if (!audio.src) audio.src = song.playback.url;
    audio.loop = true;
    return audio.play();
  }));
  $("sound").addEventListener("play", () => {
    $("play").textContent = "Pause";
    heard -= Date.now();
    follow();
  });
  $("sound").addEventListener("pause", () => {
    $("play").textContent = "Play the hook";
    heard += Date.now();
  });
  $("sound").addEventListener("timeupdate", () => {
    const far = $("sound").paused ? heard : heard + Date.now();
    if (!me || counted || !song || far < Math.min(HEARD, song.durationMs)) return;
    counted = true;
    act("recordPlay", { hook: song.id, heardMs: Math.round(far) }).catch((error) => problem(error.message));
  });
  $("sound").addEventListener("error", () => {
    // An address is good for some minutes: ask for another.
    $("sound").removeAttribute("src");
    $("play").textContent = "Play the hook";
    trying(enter);
  });

  house.open({ room: () => room, enter, beat, via });
})();
