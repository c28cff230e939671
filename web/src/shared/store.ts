// The one owner of a page's state: takes happenings, keeps the result, tells the listeners.

type Listener<State> = (state: State, before: State) => void;

export interface Store<State, Happening> {
  readonly state: State;
  dispatch(happening: Happening): void;
  subscribe(listener: Listener<State>): void;
}

export function createStore<State, Happening>(
  reduce: (state: State, happening: Happening) => State,
  initial: State,
): Store<State, Happening> {
  let state = initial;
  let telling = false;
  const waiting: Happening[] = [];
  const listeners: Listener<State>[] = [];
  return {
    get state() {
      return state;
    },
    // What listeners bring about waits until all of them have heard of the change before it.
    dispatch(happening) {
      waiting.push(happening);
      if (telling) return;
      telling = true;
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const before = state;
        state = reduce(state, next);
        if (state !== before) for (const listener of listeners) listener(state, before);
      }
      telling = false;
    },
    subscribe(listener) {
      listeners.push(listener);
    },
  };
}

/** A part of a store as a store: listeners hear of that part alone. */
export function focus<State, Happening, Part, PartHappening extends Happening>(
  store: Store<State, Happening>,
  pick: (state: State) => Part,
): Store<Part, PartHappening> {
  return {
    get state() {
      return pick(store.state);
    },
    dispatch: store.dispatch,
    subscribe(listener) {
      store.subscribe((state, before) => {
        if (pick(state) !== pick(before)) listener(pick(state), pick(before));
      });
    },
  };
}
