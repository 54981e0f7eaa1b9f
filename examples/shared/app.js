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

// The room: the page says who has entered and that somebody types, and shows who else does.
if (window.components?.on) {
  let hush;
  let sent = 0;
  document.addEventListener('room:entered', ({ detail }) => {
    const enter = () => components.send('room:enter', { name: detail.name });
    enter();
    components.on('connect', enter);
  });
  document.addEventListener('room:said', () => { document.querySelector('#text').value = ''; });
  document.addEventListener('input', ({ target }) => {
    if (target.id !== 'text' || Date.now() - sent < 1000) return;
    sent = Date.now();
    components.send('room:typing');
  });
  if (document.querySelector('[data-component=room]')) {
    components.on('room:typing', ({ name }) => {
      const note = document.querySelector('.typing');
      if (!note) return;
      note.textContent = `${name} is typing …`;
      clearTimeout(hush);
      hush = setTimeout(() => { note.textContent = ''; }, 2000);
    });
  }
}
