// Entry: builds the store, opens the session, and paints the page whenever the state changes.
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/disc.css";
import "./styles/frame.css";
import "./styles/choosing.css";
import "./styles/waiting.css";
import "./styles/talking.css";
import "./styles/ended.css";
import { formerGuest } from "./identity";
import { load, save } from "./memory";
import { paintOn } from "./paint";
import { openSession } from "./session";
import { createStore } from "./store";

const store = createStore(load());
store.subscribe(save);
const session = openSession(await formerGuest(), store);
paintOn(document.getElementById("page")!, store, session);
