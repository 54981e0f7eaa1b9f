// 200 pages in frames: script, connection, greeting and listeners come after random delays, and connections break.
// Gives what each page heard that is not in order, or not once.
async (source) => {
  const after = (ms) => new Promise((done) => setTimeout(done, ms));
  let seed = 7;
  const chance = (most) => { seed = (seed * 16807) % 2147483647; return seed % most; };

  const visit = async () => {
    const frame = document.body.appendChild(document.createElement('iframe'));
    const page = frame.contentWindow;
    const delays = { script: chance(40), drops: chance(3), late: chance(60) };
    let opened = 0;
    page.EventSource = class {
      constructor() {
        const number = opened++;
        this.listeners = {};
        setTimeout(() => {
          const hello = { type: 'hello', v: 1, session: 'x', resumed: number > 0, received: 0, heartbeat: 15 };
          this.listeners['component:live']?.({ data: JSON.stringify(hello), lastEventId: '' });
          if (number < delays.drops) setTimeout(() => { if (!this.closed) this.onerror(); }, chance(30));
        }, chance(40));
      }
      addEventListener(name, fn) { this.listeners[name] = fn; }
      close() { this.closed = true; }
    };
    page.fetch = async () => ({ ok: true });
    const heard = [];
    const late = [];
    for (const name of ['ready', 'connect', 'disconnect']) page.document.addEventListener(`component:${name}`, () => heard.push(name));
    const meta = page.document.createElement('meta');
    Object.assign(meta, { name: 'component-live', content: '/components' });
    page.document.head.append(meta);
    await after(delays.script);
    const script = page.document.createElement('script');
    const loaded = new Promise((done) => { script.onload = done; });
    script.src = source;
    page.document.head.append(script);
    await loaded;
    page.components.send('hello');
    await after(delays.late);
    const before = heard.length;
    for (const name of ['ready', 'connect', 'disconnect']) page.components.on(name, () => late.push(name));
    await after(2500);
    const wanted = ['ready', 'connect'];
    for (let n = 0; n < delays.drops; n++) wanted.push('disconnect', 'connect');
    const sticky = new Set([heard[0], heard[before - 1]].filter(Boolean));
    const all = [...sticky, ...heard.slice(before)];
    const right = heard.join() == wanted.join() && late.toSorted().join() == all.toSorted().join();
    frame.remove();
    return right ? null : { heard, late, wanted, before };
  };
  const outcomes = await Promise.all(Array.from({ length: 200 }, visit));
  return outcomes.filter(Boolean);
}
