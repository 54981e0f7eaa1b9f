// The page's one connection to the server: pushes come down, messages and answers go up (docs/realtime.md).
// It is opened only when a component on the page subscribes to something, or the page itself has something to say.
(() => {
  const meta = document.querySelector('meta[name="component-live"]');
  const base = meta?.content;
  if (base === undefined || window.components) return;

  const LIFECYCLE = ['ready', 'connect', 'disconnect'];
  const VERSION = 1; // of what is said over the connection (core/live.py)
  const ROOM = 100; // messages that wait for a connection
  const listeners = {};
  const latest = {}; // what has happened: a listener that comes late still hears it once
  const refreshing = new Map(); // element id -> whether it has to be asked for once more
  const waiting = new Map(); // number -> what waits for the answer to an event
  const works = new Map(); // handle -> the id of the element that has begun it and waits for what becomes of it
  let outbox = [];
  let link, transport, carry, session = meta?.dataset.session || '', seen = 0, number = 0, joined = '', tries = 0, limit = 0;
  let open = false, ready = false, wanted = false, over = meta?.dataset.pushes == 'no', alarm, retry, sending;

  const parts = () => [...document.querySelectorAll('[data-live]')];
  const shown = () => parts().map((root) => root.id + root.dataset.live).join() + [...works.keys()].join();
  const dispatch = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));
  const later = (fn, ms) => setTimeout(fn, ms * (0.7 + 0.6 * Math.random()));

  // Lifecycle -----------------------------------------------------------------------------------------------------
  const happen = (name) => {
    if (name == 'ready') latest.ready = true;
    else [latest.connect, latest.disconnect] = [name == 'connect', name == 'disconnect'];
    dispatch(`component:${name}`, {});
    for (const fn of [...listeners[name] || []]) tell(fn);
  };
  const tell = (fn, data) => { try { return fn(data); } catch (error) { reportError(error); } };

  // References to components: elements here, {"$ref": id} on the way.
  const found = (target) => document.getElementById(target) || document.querySelector(`[data-component="${CSS.escape(target)}"]`);
  const elements = (value) => value?.$ref ? found(value.$ref) : value instanceof Object ? Object.entries(value).reduce((all, [key, each]) => { all[key] = elements(each); return all; }, Array.isArray(value) ? [] : {}) : value;
  const references = (key, value) => value instanceof Element ? { $ref: value.closest('[data-component]')?.id } : value;
  const plain = (data) => JSON.parse(JSON.stringify(data, references));

  // Up ------------------------------------------------------------------------------------------------------------
  // Whoever sent a message that nobody will hear, or that may not have arrived, is told.
  const lose = (entries) => { for (const { message } of entries) if (message.type == 'message') dispatch('component:lost', { message }); };
  const say = (message) => {
    if (over && message.type == 'message') return lose([{ message }]);
    wanted = true;
    if (message.n && outbox.length >= ROOM) return dispatch('component:overflow', { message });
    outbox.push({ message, sent: false });
    open ? flush() : connect();
  };
  const acknowledge = (n) => { outbox = outbox.filter(({ message }) => !(message.n <= n)); };
  const flush = async () => {
    if (sending || !open) return;
    sending = true;
    try {
      for (let some; open && (some = outbox.filter((entry) => !entry.sent).slice(0, 50)).length;) {
        for (const entry of some) entry.sent = true;
        await link.send(some.map((entry) => entry.message), session);
        outbox = outbox.filter((entry) => !some.includes(entry) || (link.acknowledges && entry.message.n));
      }
    } catch {
      down();
    }
    sending = false;
  };
  const join = () => {
    const roots = parts();
    joined = shown();
    outbox = outbox.filter(({ message }) => message.type != 'join');
    say({ type: 'join', components: roots.map((root) => [root.dataset.component, root.id, root.dataset.state, root.dataset.digest]), work: [...works].map(([handle, id]) => [document.getElementById(id)?.dataset.component || '', handle]) });
  };

  // Down ----------------------------------------------------------------------------------------------------------
  const refresh = (root) => {
    if (refreshing.has(root.id)) return refreshing.set(root.id, true);
    refreshing.set(root.id, false);
    const again = () => {
      const now = document.getElementById(root.id);
      const more = refreshing.get(root.id);
      refreshing.delete(root.id);
      if (more && now) refresh(now);
    };
    send(root, '', {}).then(again, again);
  };
  // An event that nobody's click has caused: it goes the way of the others, with the newest state, in its turn.
  // Gives the status of the answer once it has been swapped, undefined where there was none.
  const send = (root, query, detail) => new Promise((done) => {
    const event = { detail };
    const note = ({ detail: { ctx } }) => {
      if (ctx?.sourceEvent != event) return;
      document.removeEventListener('htmx:finally:request', note);
      done(ctx.response?.status);
    };
    document.addEventListener('htmx:finally:request', note);
    htmx.ajax('POST', `${base}/${root.dataset.component}${query}`, { source: root, target: root, swap: 'outerMorph', event });
  });
  const answer = async ({ ref, name, data }) => {
    const fn = listeners[name]?.[0];
    try {
      if (!fn) throw new Error(`nothing is registered as ${name}`);
      say({ type: 'result', ref, value: plain((await fn(elements(data))) ?? null) });
    } catch (error) {
      say({ type: 'result', ref, error: String(error?.message || error) });
    }
  };
  const on = {
    hello: (frame) => {
      if (frame.v != VERSION) {
        dispatch('component:outdated', { v: frame.v }); // by a deploy: events are posted, and the next page has the next script
        return finish();
      }
      session = frame.session;
      limit = frame.heartbeat * 2500;
      tries = 0;
      for (const entry of outbox) {
        if (!frame.resumed && entry.sent && entry.message.n) entry.lost = true;
        entry.sent = false;
      }
      lose(outbox.filter((entry) => entry.lost));
      outbox = outbox.filter((entry) => !entry.lost);
      if (frame.resumed) acknowledge(frame.received);
      else {
        seen = 0;
        for (const [n, wait] of [...waiting]) if (wait.sent) settle(n).lost();
      }
      open = true;
      happen('connect');
      if (frame.resumed && joined == shown()) flush();
      else join();
    },
    ping: () => link?.acknowledges && link.send([{ type: 'pong', seq: seen }]),
    close: ({ code }) => code == 1008 ? finish() : down(),
    ack: ({ n }) => acknowledge(n),
    resync: () => { dispatch('component:resync', {}); later(join, 500); },
    refresh: ({ topic, id }) => {
      for (const root of parts()) if (root.id == id || root.dataset.live.split(' ').includes(topic)) refresh(root);
    },
    outcome: ({ work, id, event, outcome }) => {
      const root = document.getElementById(id);
      if (works.delete(work) && root) send(root, `?event=${encodeURIComponent(event)}`, { outcome });
      look();
    },
    emit: ({ name, detail }) => dispatch(name, detail),
    message: ({ name, data }) => [...listeners[name] || []].forEach((fn) => tell(fn, elements(data))),
    call: answer,
    reply: (frame) => { acknowledge(frame.to); settle(frame.to)?.reply(frame); },
    begin: (frame) => { acknowledge(frame.to); waiting.get(frame.to)?.begin(frame); },
    chunk: (frame) => waiting.get(frame.to)?.chunk(frame.body),
    end: (frame) => settle(frame.to)?.end(),
    error: (frame) => {
      acknowledge(frame.to);
      if (frame.to && waiting.has(frame.to)) settle(frame.to).error(frame);
      else dispatch('component:error', frame);
      if (frame.code == 'unavailable') later(join, 3000);
    },
  };
  const settle = (n) => { const wait = waiting.get(n); waiting.delete(n); return wait; };
  const counted = ({ type }) => !['hello', 'ping', 'close', 'ack'].includes(type);
  const receive = (frame) => {
    clearTimeout(alarm);
    if (limit) alarm = setTimeout(down, limit);
    if (counted(frame)) {
      if (frame.seq <= seen) return;
      seen = frame.seq || seen;
    }
    if (frame.content !== undefined) htmx.swap({ sourceElement: document.body, target: document.body, swap: 'none', text: frame.content });
    else on[frame.type]?.(frame);
  };

  // The connection ------------------------------------------------------------------------------------------------
  const stream = (query, receive, down) => {
    const source = new EventSource(`${base}/live${query}`);
    const seq = (event) => +event.lastEventId || 0;
    source.onmessage = (event) => receive({ content: event.data, seq: seq(event) });
    source.addEventListener('component:live', (event) => receive({ ...JSON.parse(event.data), seq: seq(event) }));
    source.onerror = down;
    return {
      send: async (messages, session) => {
        const response = await fetch(`${base}/live`, { method: 'POST', headers: headers(), body: JSON.stringify({ session, messages }) });
        if (!response.ok) throw response;
      },
      close: () => source.close(),
    };
  };
  const headers = () => ({ 'Content-Type': 'application/json', ...JSON.parse(document.getElementById('component-headers')?.content || '{}') });
  const connect = () => {
    if (link || over || !ready) return;
    clearTimeout(retry);
    const query = session ? `?session=${encodeURIComponent(session)}&last_id=${seen}` : '';
    const mine = link = (transport || stream)(query, (frame) => mine == link && receive(frame), () => mine == link && down());
  };
  const down = () => {
    clearTimeout(alarm);
    link?.close();
    link = undefined;
    for (const entry of outbox) if (entry.message.type == 'join') entry.sent = false;
    if (open) {
      open = false;
      happen('disconnect');
    }
    for (const wait of waiting.values()) wait.down?.();
    if (!over && (session || tries < 5)) retry = later(connect, Math.min(30000, 500 * 2 ** tries++));
  };
  // No connection any more, for as long as this page lives.
  const finish = () => {
    over = true;
    lose(outbox);
    outbox = [];
    down();
  };
  const look = () => {
    for (const [handle, id] of works) if (!document.getElementById(id)) works.delete(handle);
    if (open) {
      if (joined != shown()) join();
    } else if (wanted || session || works.size || parts().length) connect();
  };
  const start = () => {
    if (ready) return;
    ready = true;
    happen('ready');
    look();
  };

  // Calls of a component's methods ----------------------------------------------------------------------------------
  const call = async (element, name, data = {}) => {
    const root = element.closest('[data-component]');
    if (!root) throw new Error('components.call() needs an element of a component');
    const response = await (open && carry || fetch)(`${base}/${root.dataset.component}?event=call:${encodeURIComponent(name)}`, {
      method: 'POST',
      headers: { ...headers(), 'X-Component-State': root.dataset.state, 'X-Component-Id': root.id, 'X-Component-Event-Id': crypto.getRandomValues(new Uint32Array(4)).join() },
      body: JSON.stringify({ payload: data }, references),
    });
    const body = await response.json();
    if (!response.ok) throw Object.assign(new Error(body.message || body.code), { status: response.status, code: body.code, errors: body.errors, id: body.id });
    if (body.html) await htmx.swap({ sourceElement: root, target: root, swap: 'outerMorph', text: body.html });
    return body.value;
  };

  // What `session.component(target).call(event, …)` asks for.
  listeners['component:event'] = [async ({ target, event, data, calls }) => {
    const root = found(target);
    if (!root) throw new Error(`there is no component ${target}`);
    if (calls.includes(root.dataset.component)) return call(root, event, data);
    const status = await send(root, `?event=${encodeURIComponent(event)}`, data);
    if (!(status < 400)) throw new Error(`refused with ${status}`);
  }];

  window.components = Object.freeze({
    // Lifecycle names are "ready", "connect" and "disconnect"; any other is a message or a call from the server.
    on: (name, fn) => {
      (listeners[name] ||= []).push(fn);
      if (!LIFECYCLE.includes(name)) wanted = true;
      else if (latest[name]) queueMicrotask(() => tell(fn));
      look();
      return () => { listeners[name] = listeners[name].filter((other) => other != fn); };
    },
    send: (name, data = {}) => { say({ type: 'message', n: ++number, name, data: plain(data) }); },
    call,
    // For a transport of its own: `make(query, receive, down)` gives {send, close, acknowledges}, `over` is a fetch() that goes over it.
    use: (make, over) => { transport = make; carry = over; link && down(); },
    event: (message, wait) => {
      waiting.set(++number, wait);
      const n = number;
      say({ type: 'event', n, ...message });
      return () => { if (settle(n)) say({ type: 'cancel', n }); };
    },
    get open() { return open; },
  });

  // Not before the other scripts of the page have run: one of them may bring the transport. A deferred script runs while the page
  // is "interactive", before DOMContentLoaded; one that was added later may have missed that, and has "load".
  if (document.readyState == 'complete') queueMicrotask(start);
  else for (const name of ['DOMContentLoaded', 'load']) addEventListener(name, start);
  document.addEventListener('htmx:after:swap', look);
  document.addEventListener('component:work', ({ detail, target }) => { works.set(detail.work, target.id); look(); });
  addEventListener('online', () => { if (!open) { tries = 0; clearTimeout(retry); look(); } });
  addEventListener('pagehide', () => { link?.close(); });
  addEventListener('pageshow', (event) => { if (event.persisted) down(); });
})();
