// The browser's side of a component: a registered htmx 4 extension (docs/wire-protocol.md, "component.js").
// scripts/build_assets.py minifies it into the file that pages load.
{
  const flying = new Set();
  const find = (id) => document.getElementById(id);
  const json = (text) => JSON.parse(text || '{}');
  const idOf = (elt) => elt.closest('[data-component]')?.id;

  // An event reaches listeners with the same detail whatever carried it, at the component's root as it is now.
  const emit = (id, name, detail) => {
    if (name == 'component:emit') detail.forEach(([name, detail]) => emit(id, name, detail));
    else if (name == 'component:navigate') {
      // pushState, replaceState; a redirect has none
      Object.entries(detail).forEach(([how, url]) => history[how += 'State'] ? history[how]({ htmx: 1 }, '', url) : location = url);
    } else (find(id) || document).dispatchEvent(new CustomEvent(name, { detail, bubbles: 1 }));
  };

  // The state of aria-busy, where the root is still there.
  const busy = (ctx, is) => (find(ctx.cf) || ctx).ariaBusy = is;
  // A morph takes away what the server does not know: that a request is still on its way.
  const keep = () => flying.forEach((ctx) => {
    busy(ctx, true);
    ctx.indicators.forEach((elt) => elt.classList.add(htmx.config.requestClass));
    ctx.disabledElements.forEach((elt) => elt.disabled = true);
  });

  // Nothing is swapped between the press and the release of what is clicked, since what moves away from under the pointer
  // gets no click. Each swap waits for the one before it, so that their order stays.
  const swap = htmx.swap.bind(htmx);
  let turn = htmx.timeout(1);
  htmx.swap = (ctx) => (turn = turn.then(async () => {
    while (htmx.find(':active:is(a,button,input:not([type=range]))')) await htmx.timeout(1);
  })).then(() => swap(ctx));

  htmx.registerExtension('component', {
    // A custom event that triggers a request sends its detail, and none of the fields that happen to be inside.
    htmx_config_request: (elt, { ctx }) => {
      ctx.cf = idOf(elt);
      ctx.body = elt.cf; // what the page had had an answer to when this was asked for
      // Once more when the network fails, with the same event id, where the server knows which events it has applied.
      if (find(ctx.cf)?.dataset.retry) ctx.fetch = (url, request) => fetch(url, request).catch(() => fetch(url, request));
      const detail = ctx.cf && ctx.sourceEvent?.detail;
      if (!(detail instanceof Object)) return;
      ctx.request.body = new FormData();
      Object.entries({ ...ctx.vals, ...detail }).forEach(([name, value]) => ctx.request.body.set(name, value instanceof Object ? JSON.stringify(value) : value));
    },

    // At send time, not when the click was queued: the newest token of the root as it is now.
    htmx_before_request: (elt, { ctx }) => {
      const root = find(idOf(elt));
      // It went while the click was queued; or it is a form that was sent again, as it was, before it had its answer.
      if (!root || elt.reset && elt.cf != ctx.body && '' + elt.cf == ctx.request.body) return !ctx.cf;
      if (!ctx.target.isConnected) ctx.target = root;
      Object.assign(ctx.request.headers, json(find('component-headers')?.content), {
        'X-Component-Id': ctx.cf,
        'X-Component-State': root.dataset.state,
        'X-Component-Event-Id': ctx.event ??= Math.random(),
      });
      flying.add(ctx);
      keep();
    },

    htmx_after_request: (elt, { ctx }) => {
      if (!ctx.cf) return;
      ctx.trigger = ctx.hx.trigger;
      ctx.hx.trigger = 0;
    },

    // What was focused when it came does not take the focus again from where the visitor has gone since.
    // A frame older than what the page shows is dropped; version 1 is a component that began anew.
    htmx_before_swap: (elt, { tasks }) => {
      htmx.findAll('[autofocus]').forEach((elt) => elt.autofocus = 0);
      tasks.forEach((task) => {
        const fresh = task.fragment.querySelector('[data-version]');
        const version = fresh?.dataset.version;
        if (version > 1 && +version < find(fresh.id)?.dataset.version) task.target = 0;
      });
    },

    htmx_after_swap: keep,

    htmx_sse_before_message: (elt, detail) => {
      if (detail.message.event && idOf(elt)) detail.cancelled = !emit(idOf(elt), detail.message.event, json(detail.message.data));
    },

    htmx_error: (elt, { ctx }) => {
      ctx?.cf && emit(ctx.cf, 'component:error', { code: 'network' });
    },

    htmx_finally_request: (elt, { ctx }) => {
      if (!flying.delete(ctx)) return;
      elt.cf = ctx.request.body;
      busy(ctx);
      keep(); // another request of the same component
      emit(ctx.cf, 'component:emit', Object.entries(json(ctx.trigger)));
    },
  });
}
