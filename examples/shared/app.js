// What the example pages do with the framework's events: tell the visitor, and nothing else.
const toast = document.querySelector('.toast');
let hide;
const tell = (text) => {
  toast.textContent = text;
  clearTimeout(hide);
  hide = setTimeout(() => { toast.textContent = ''; }, 6000);
};
document.addEventListener('component:error', ({ detail }) => {
  tell(detail.code === 'network' ? 'The server cannot be reached. Try again.' : `${detail.message} (${detail.id})`);
});
document.addEventListener('component:reset', ({ detail }) => tell(detail.message));
document.addEventListener('toast', ({ detail }) => tell(detail.text));
