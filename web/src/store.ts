// The one owner of the page's state: takes happenings, keeps the result, tells the listeners.
import { reduce } from "./reducer";
import type { Happening, State } from "./state";

type Listener = (state: State, before: State) => void;

export interface Store {
  readonly state: State;
  dispatch(happening: Happening): void;
  subscribe(listener: Listener): void;
}

export function createStore(initial: State): Store {
  let state = initial;
  const listeners: Listener[] = [];
  return {
    get state() {
      return state;
    },
    dispatch(happening) {
      const before = state;
      state = reduce(state, happening);
      if (state !== before) for (const listener of listeners) listener(state, before);
    },
    subscribe(listener) {
      listeners.push(listener);
    },
  };
}
