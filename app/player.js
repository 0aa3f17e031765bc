// <speech-player take="ID" seconds="3.2" label="..." [live] [autoplay]
// [picture="heard"]>: one take, its mel
// spectrogram as the bar to seek in. While it is being made it plays the stream; `tell` brings news.
class SpeechPlayer extends HTMLElement {
  connectedCallback() {
    if (this.audio) return;
    this.seconds = Number(this.getAttribute("seconds"));
    this.live = this.hasAttribute("live");
    this.base = `takes/${this.getAttribute("take")}`;
    const label = this.getAttribute("label");
    this.innerHTML = `
      <button type="button" class="play"></button>
      <div class="mel" role="slider" tabindex="0" aria-valuemin="0">
        <img alt=""><span class="head"></span>
      </div>
      <span class="time"></span>`;
    [this.button, this.bar, this.time] = this.children;
    this.picture = this.bar.querySelector("img");
    this.head = this.bar.querySelector(".head");
    this.button.dataset.label = label;
    this.bar.setAttribute("aria-label", `Position in ${label}`);
    this.picture.alt = `Mel spectrogram of ${label}`;
    this.audio = new Audio();
    this.audio.preload = "none";
    this.audio.src = this.base + (this.live ? "/live.wav" : "/speech.wav");
    for (const name of ["play", "pause", "ended", "timeupdate", "seeked"])
      this.audio.addEventListener(name, () => this.draw());
    this.audio.addEventListener("play", () => {
      document.querySelectorAll("speech-player").forEach((other) => {
        if (other !== this) other.audio?.pause();
      });
      this.follow();
    });
    this.audio.addEventListener("error", () => this.useWhole());
    this.button.addEventListener("click", () => this.toggle());
    this.bar.addEventListener("click", (event) => {
      const box = this.bar.getBoundingClientRect();
      this.seek(((event.clientX - box.left) / box.width) * this.seconds);
    });
    this.bar.addEventListener("keydown", (event) => this.key(event));
    this.show();
    const news = SpeechPlayer.news.get(this.getAttribute("take"));
    if (news) this.tell(news);
    if (this.hasAttribute("autoplay")) this.audio.play().catch(() => this.draw());
  }

  disconnectedCallback() {
    this.audio?.pause();
  }

  // News of a take that is being made. It may come before the player is drawn, or late.
  static news = new Map();

  static publish(news) {
    SpeechPlayer.news.set(news.take, news);
    document.querySelectorAll(`speech-player[take="${news.take}"]`).forEach((p) => p.tell?.(news));
  }

  tell({ seconds, done }) {
    const grew = seconds > this.seconds;
    this.seconds = Math.max(seconds, this.seconds);
    this.finished ||= done;
    if (grew) this.show();
    if (this.finished && this.audio.paused && this.audio.currentTime === 0) this.useWhole();
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
    if (this.seconds) this.picture.src = `${this.base}/${this.getAttribute("picture") ?? "mel"}.png?seconds=${this.seconds}`;
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
    this.button.setAttribute("aria-label", `${playing ? "Pause" : "Play"} ${this.button.dataset.label}`);
    this.head.style.left = `${this.seconds ? (100 * here) / this.seconds : 0}%`;
    this.bar.setAttribute("aria-valuenow", here.toFixed(1));
    this.bar.setAttribute("aria-valuetext", `${here.toFixed(1)} of ${this.seconds.toFixed(1)} seconds`);
    const time = `${clock(here)} / ${clock(this.seconds)}`;
    if (this.time.textContent !== time) this.time.textContent = time;
  }
}
customElements.define("speech-player", SpeechPlayer);
