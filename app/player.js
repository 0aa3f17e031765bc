// <speech-player result="ID" seconds="3.2" label="..." [live] [autoplay] [picture="heard"] [size]>:
// one result, its mel spectrogram as the bar to seek in. While the result is being made it plays the
// stream. Gradio changes elements in place when it draws anew: another `result` is another audio,
// and what is inside lives in a shadow tree that Gradio does not touch.
const PLAYER_TEMPLATE = `
  <style>
    :host { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 0.5rem 0.8rem;
      align-items: center; --mel-height: 3rem; --button: 2.6rem; }
    :host([size="large"]) { --mel-height: clamp(5rem, 12vw, 7.5rem); --button: 3.6rem; }
    :host([size="cell"]) { --mel-height: 4.5rem; --button: 2.2rem; }
    :host([size="cell"]) .mel { grid-column: 1 / -1; grid-row: 1; }
    :host([size="row"]) .time { display: none; }
    @media (max-width: 640px) { :host([size="cell"]) .time { display: none; } }
    button { width: var(--button); height: var(--button); border: 0; border-radius: 50%;
      cursor: pointer; background: var(--primary-700); position: relative; }
    button:hover { background: var(--primary-600); }
    button:disabled { background: var(--neutral-400); cursor: default; }
    button::after { content: ""; position: absolute; inset: 0; margin: auto; width: 0.85rem;
      height: 1rem; background: white; transform: translateX(0.1rem);
      clip-path: polygon(0 0, 100% 50%, 0 100%); }
    :host([playing]) button::after { transform: none; clip-path: polygon(0 0, 35% 0, 35% 100%,
      65% 100%, 65% 0, 100% 0, 100% 100%, 0 100%); }
    .mel { position: relative; height: var(--mel-height); overflow: hidden; cursor: pointer;
      border-radius: var(--radius-md); background: #000004; }
    img { display: block; width: 100%; height: 100%; object-fit: fill; }
    img:not([src]) { visibility: hidden; }
    .head { position: absolute; top: 0; bottom: 0; left: 0; width: 2px; background: white;
      box-shadow: 0 0 6px #000; }
    .time { grid-column: 2; font-size: 0.8rem; font-variant-numeric: tabular-nums;
      color: var(--body-text-color-subdued); }
    :focus-visible { outline: 3px solid var(--primary-400); outline-offset: 2px; }
  </style>
  <button type="button"></button>
  <div class="mel" role="slider" tabindex="0" aria-valuemin="0">
    <img alt=""><span class="head"></span>
  </div>
  <span class="time"></span>`;

class SpeechPlayer extends HTMLElement {
  static observedAttributes = ["result"];
  static progress = new Map(); // by result; it may come before the player is drawn, or late

  static report(progress) {
    SpeechPlayer.progress.set(progress.result, progress);
    const selector = `speech-player[result="${progress.result}"]`;
    document.querySelectorAll(selector).forEach((p) => p.update?.(progress));
  }

  constructor() {
    super();
    this.attachShadow({ mode: "open" }).innerHTML = PLAYER_TEMPLATE;
    [this.button, this.bar, this.time] = ["button", ".mel", ".time"].map((selector) =>
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
    this.audio.addEventListener("error", () => this.useWhole());
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
    this.finished = false;
    this.base = `results/${result}`;
    const label = this.getAttribute("label");
    this.button.dataset.label = label;
    this.bar.setAttribute("aria-label", `Position in ${label}`);
    this.picture.alt = `Mel spectrogram of ${label}`;
    this.picture.removeAttribute("src");
    this.audio.src = this.base + (this.live ? "/live.wav" : "/speech.wav");
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

  // The stream cannot be seeked in; the finished file can.
  useWhole(position = 0) {
    if (!this.live || !this.finished) return;
    const wasPlaying = !this.audio.paused;
    this.live = false;
    this.audio.src = `${this.base}/speech.wav`;
    this.audio.currentTime = position;
    if (wasPlaying) this.audio.play();
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
    else if (!this.live) this.audio.currentTime = inside;
    this.draw();
  }

  key(event) {
    const here = this.audio.currentTime;
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
    const here = Math.min(this.audio.currentTime, this.seconds);
    const clock = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
    const playing = !this.audio.paused && !this.audio.ended;
    this.toggleAttribute("playing", playing);
    this.button.ariaLabel = `${playing ? "Pause" : "Play"} ${this.button.dataset.label}`;
    this.head.style.left = `${this.seconds ? (100 * here) / this.seconds : 0}%`;
    this.bar.setAttribute("aria-valuenow", here.toFixed(1));
    this.bar.setAttribute("aria-valuetext", `${here.toFixed(1)} of ${this.seconds.toFixed(1)} seconds`);
    const time = `${clock(here)} / ${clock(this.seconds)}`;
    if (this.time.textContent !== time) this.time.textContent = time;
  }
}
customElements.define("speech-player", SpeechPlayer);
