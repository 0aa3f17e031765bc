// "As it is read": the word that is heard is marked; a word that is chosen is a place to seek, and
// its "fix" event asks how it shall be said. Gradio may draw the words anew at any time, so that
// nothing is remembered but the number of the word that is marked.
const TEXT_WORDS = "#reading .reading .word";
let heardWord = -1;

document.addEventListener("heard", ({ target, detail }) => {
  if (!target.closest("#player")) return;
  const times = SpeechPlayer.progress.get(target.result)?.words ?? [];
  const isAtRest = target.audio.ended || (target.audio.paused && detail === 0);
  const now = isAtRest ? -1 : times.findIndex(([start, end]) => start <= detail && detail < end);
  if (now === heardWord) return;
  heardWord = now;
  document.querySelectorAll(`${TEXT_WORDS}.heard`).forEach((w) => w.classList.remove("heard"));
  document.querySelectorAll(`${TEXT_WORDS}[data-word="${now}"]`).forEach((w) =>
    w.classList.add("heard"));
  const word = document.querySelector(`${TEXT_WORDS}.heard`);
  if (word) keepInSight(word, word.closest(".reading"));
});

// Scrolls the box and never the page, which its visitor scrolls.
function keepInSight(word, box) {
  const top = word.offsetTop - box.scrollTop;
  if (top < 0 || top + word.offsetHeight > box.clientHeight)
    box.scrollTop = word.offsetTop - box.clientHeight / 3;
}

function choose(word) {
  const player = document.querySelector("#player speech-player");
  const time = SpeechPlayer.progress.get(player?.result)?.words?.[word.dataset.word];
  if (time) player.seek(time[0]);
  const { phones, source } = word.dataset;
  const detail = { word: word.dataset.spoken, phones, source };
  word.dispatchEvent(new CustomEvent("fix", { bubbles: true, detail }));
}

document.addEventListener("click", (event) => {
  const word = event.target.closest?.("#reading .word");
  if (word) choose(word);
});

// One stop of the Tab key for all words of the text; arrow keys go from word to word.
document.addEventListener("keydown", (event) => {
  const word = event.target.closest?.(TEXT_WORDS);
  if (!word) return;
  const words = [...document.querySelectorAll(TEXT_WORDS)];
  const here = words.indexOf(word);
  const places = {
    ArrowLeft: here - 1, ArrowUp: here - 1, ArrowRight: here + 1, ArrowDown: here + 1,
    Home: 0, End: words.length - 1,
  };
  if (event.key === "Enter" || event.key === " ") choose(word);
  else if (event.key in places) {
    const next = words[Math.min(Math.max(places[event.key], 0), words.length - 1)];
    word.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  } else return;
  event.preventDefault();
});
