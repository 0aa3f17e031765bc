// <speech-player result="ID" seconds="3.2" label="..." [live] [autoplay] [picture="heard"] [size]>:
// one result, its mel spectrogram as the bar to seek in. While the result is being made it plays the
// stream; the large one has a playback speed and a loop, and tells where it is by "heard" events.
// Gradio changes elements in place when it draws anew: another `result` is another audio,
// and what is inside lives in a shadow tree that Gradio does not touch.
const PLAYER_TEMPLATE = `
  <style>
    :host { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0.5rem 0.8rem;
      align-items: center; --mel-height: 3rem; --button: 2.6rem; }
    :host([size="large"]) { --mel-height: clamp(5rem, 12vw, 7.5rem); --button: 3.6rem; }
    :host([size="cell"]) { --mel-height: 4.5rem; --button: 2.2rem; }
    :host([size="cell"]) .mel { grid-column: 1 / -1; grid-row: 1; }
    :host([size="row"]) .time { display: none; }
    .more { grid-column: 2; display: flex; flex-wrap: wrap; gap: 0.4rem 1rem; align-items: center; }
    :host(:not([size="large"])) :is(select, .loop) { display: none; }
    select, .loop { width: auto; height: auto; padding: 0.15rem 0.5rem; font: inherit;
      font-size: 0.8rem; border: 1px solid var(--border-color-primary); border-radius: 999px;
      background: var(--block-background-fill); color: var(--body-text-color); cursor: pointer; }
    .loop:hover { background: var(--block-background-fill); border-color: var(--primary-500); }
    .loop[aria-pressed="true"] { background: var(--primary-700); color: white; }
    @media (max-width: 640px) { :host([size="cell"]) .time { display: none; } }
    .play { width: var(--button); height: var(--button); border: 0; border-radius: 50%;
      cursor: pointer; background: var(--primary-700); position: relative; }
    .play:hover { background: var(--primary-600); }
    .play:disabled { background: var(--neutral-400); cursor: default; }
    .play::after { content: ""; position: absolute; inset: 0; margin: auto; width: 0.85rem;
      height: 1rem; background: white; transform: translateX(0.1rem);
      clip-path: polygon(0 0, 100% 50%, 0 100%); }
    :host([playing]) .play::after { transform: none; clip-path: polygon(0 0, 35% 0, 35% 100%,
      65% 100%, 65% 0, 100% 0, 100% 100%, 0 100%); }
    .mel { position: relative; height: var(--mel-height); overflow: hidden; cursor: pointer;
      border-radius: var(--radius-md); background: #000004; }
    img { display: block; width: 100%; height: 100%; object-fit: fill; }
    img:not([src]) { visibility: hidden; }
    .head { position: absolute; top: 0; bottom: 0; left: 0; width: 2px; background: white;
      box-shadow: 0 0 6px #000; }
    .time { font-size: 0.8rem; font-variant-numeric: tabular-nums;
      color: var(--body-text-color-subdued); }
    :focus-visible { outline: 3px solid var(--primary-400); outline-offset: 2px; }
  </style>
  <button type="button" class="play"></button>
  <div class="mel" role="slider" tabindex="0" aria-valuemin="0">
    <img alt=""><span class="head"></span>
  </div>
  <div class="more">
    <span class="time"></span>
    <select aria-label="Playback speed">${[0.5, 0.75, 1, 1.25, 1.5, 2].map((speed) =>
      `<option value="${speed}" ${speed === 1 ? "selected" : ""}>${speed} ×</option>`).join("")}
    </select>
    <button type="button" class="loop" aria-pressed="false">Loop</button>
  </div>`;

class SpeechPlayer extends HTMLElement {
  static observedAttributes = ["result"];
  static progress = new Map(); // by result; it may come before the player is drawn, or late

  // Nothing is heard any more; what is being made comes to rest with its player.
  static silence() {
    document.querySelectorAll("speech-player").forEach((p) => p.audio?.pause());
  }

  static report(progress) {
    const words = SpeechPlayer.progress.get(progress.result)?.words ?? [];
    words.splice(progress.first, Infinity, ...progress.words);
    SpeechPlayer.progress.set(progress.result, { ...progress, words });
    const selector = `speech-player[result="${progress.result}"]`;
    document.querySelectorAll(selector).forEach((p) => p.update?.(progress));
  }

  constructor() {
    super();
    this.attachShadow({ mode: "open" }).innerHTML = PLAYER_TEMPLATE;
    [this.button, this.bar, this.time, this.speed, this.loop] =
      [".play", ".mel", ".time", "select", ".loop"].map((selector) =>
        this.shadowRoot.querySelector(selector));
    this.picture = this.bar.querySelector("img");
    this.head = this.bar.querySelector(".head");
    this.audio = new Audio();
    this.audio.preload = "none";
    for (const name of ["pause", "ended", "timeupdate", "seeked"])
      this.audio.addEventListener(name, () => this.draw());
    this.audio.addEventListener("play", () => {
      document.querySelectorAll("speech-player").forEach((p) => p !== this && p.audio.pause());
      this.follow();
    });
    this.audio.addEventListener("ended", () => this.isLooping && this.toggle());
    this.audio.addEventListener("error", () => this.useWhole());
    this.speed.addEventListener("change", () => this.useSpeed());
    this.loop.addEventListener("click", () => this.loop.ariaPressed = String(!this.isLooping));
    this.button.addEventListener("click", () => this.toggle());
    this.bar.addEventListener("click", (event) => {
      const box = this.bar.getBoundingClientRect();
      this.seek(((event.clientX - box.left) / box.width) * this.seconds);
    });
    this.bar.addEventListener("keydown", (event) => this.key(event));
  }

  connectedCallback() {
    queueMicrotask(() => this.load());
  }

  attributeChangedCallback() {
    queueMicrotask(() => this.load()); // when the other attributes have changed too
  }

  disconnectedCallback() {
    this.audio.pause();
  }

  load() {
    const result = this.getAttribute("result");
    if (!this.isConnected || this.result === result) return; // Gradio tries elements out unseen
    this.result = result;
    this.seconds = Number(this.getAttribute("seconds"));
    this.live = this.hasAttribute("live");
    this.offset = 0; // where the stream begins
    this.finished = false;
    this.base = `results/${result}`;
    const label = this.getAttribute("label");
    this.button.dataset.label = label;
    this.bar.setAttribute("aria-label", `Position in ${label}`);
    this.picture.alt = `Mel spectrogram of ${label}`;
    this.picture.removeAttribute("src");
    this.audio.src = this.base + (this.live ? "/live.wav" : "/speech.wav");
    this.useSpeed();
    this.show();
    const progress = SpeechPlayer.progress.get(result);
    if (progress) this.update(progress);
    if (this.hasAttribute("autoplay")) this.audio.play().catch(() => this.draw());
  }

  update({ seconds, done }) {
    const grew = seconds > this.seconds;
    this.seconds = Math.max(seconds, this.seconds);
    this.finished ||= done;
    if (grew) this.show();
  }

  // The stream cannot be seeked in; the finished file can, and another stream begins elsewhere.
  useWhole(position = 0) {
    if (!this.live || !this.finished) return;
    this.live = false;
    this.use("speech.wav", 0);
    this.audio.currentTime = position;
  }

  use(file, offset) {
    const wasPlaying = !this.audio.paused;
    this.offset = offset;
    this.audio.src = `${this.base}/${file}`;
    this.useSpeed();
    if (wasPlaying) this.audio.play().catch(() => this.draw());
  }

  get position() {
    return this.offset + this.audio.currentTime;
  }

  get isLooping() {
    return this.loop.ariaPressed === "true";
  }

  // A new source begins with the default speed.
  useSpeed() {
    this.audio.defaultPlaybackRate = this.audio.playbackRate = Number(this.speed.value);
  }

  show() {
    const name = this.getAttribute("picture") ?? "mel";
    if (this.seconds) this.picture.src = `${this.base}/${name}.png?seconds=${this.seconds}`;
    this.button.disabled = !this.seconds && !this.live;
    this.bar.setAttribute("aria-valuemax", this.seconds.toFixed(1));
    this.draw();
  }

  toggle() {
    if (!this.audio.paused) return this.audio.pause();
    if (this.audio.ended) this.useWhole();
    this.audio.play();
  }

  seek(position) {
    const inside = Math.min(Math.max(position, 0), Math.max(this.seconds - 0.05, 0));
    if (this.live && this.finished) this.useWhole(inside);
    else if (this.live) this.use(`live.wav?start=${inside.toFixed(3)}`, inside);
    else this.audio.currentTime = inside;
    this.draw();
  }

  key(event) {
    const here = this.position;
    const places = {
      ArrowLeft: here - 1, ArrowDown: here - 1, ArrowRight: here + 1, ArrowUp: here + 1,
      Home: 0, End: this.seconds,
    };
    if (event.key in places) this.seek(places[event.key]);
    else if (event.key === " " || event.key === "Enter") this.toggle();
    else return;
    event.preventDefault();
  }

  follow() {
    this.draw();
    if (!this.audio.paused && this.isConnected) requestAnimationFrame(() => this.follow());
  }

  draw() {
    const here = Math.min(this.position, this.seconds);
    const clock = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
    const playing = !this.audio.paused && !this.audio.ended;
    this.toggleAttribute("playing", playing);
    this.button.ariaLabel = `${playing ? "Pause" : "Play"} ${this.button.dataset.label}`;
    this.head.style.left = `${this.seconds ? (100 * here) / this.seconds : 0}%`;
    this.bar.setAttribute("aria-valuenow", here.toFixed(1));
    this.bar.setAttribute("aria-valuetext", `${here.toFixed(1)} of ${this.seconds.toFixed(1)} seconds`);
    const time = `${clock(here)} / ${clock(this.seconds)}`;
    if (this.time.textContent !== time) this.time.textContent = time;
    this.dispatchEvent(new CustomEvent("heard", { bubbles: true, detail: here }));
  }
}
customElements.define("speech-player", SpeechPlayer);
