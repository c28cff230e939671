// Entry of the page /: builds the store, opens the session, and paints the page whenever the state changes.
import "../shared/styles/all.css";
import "./styles/choosing.css";
import { formerGuest } from "../shared/identity";
import { load, save } from "../shared/memory";
import { paint } from "../shared/paint";
import { visitReducer } from "../shared/reducer";
import { openSession } from "../shared/session";
import { createStore } from "../shared/store";
import { openWire } from "../shared/wire";
import type { Debate } from "./contract";
import { othersOn } from "./topics";
import { DebatePage } from "./views/page";
import { WISHES } from "./wishes";
import { tabTitle } from "./words";

const reduce = visitReducer<Debate>((lobby, { topic }) => othersOn(lobby, topic));
const store = createStore(reduce, load<Debate>(WISHES));
store.subscribe((visit) => save(visit, WISHES));
const session = openSession(openWire<Debate>("/debate", await formerGuest()), store);
paint(store, {
  root: document.getElementById("page")!,
  view: (visit) => <DebatePage visit={visit} session={session} />,
  visitOf: (visit) => visit,
  title: tabTitle,
});
