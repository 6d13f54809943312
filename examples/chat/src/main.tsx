/** Starts the page. */
import { render } from "preact";
import { App } from "./app.js";
import { readConversations, startConversation } from "./conversations/conversations.js";
import { acceptDrops } from "./model/drop.js";
import { loadLast } from "./model/loading.js";
import { registerServiceWorker } from "./offline/register.js";
import "./style/foundation.css";
import "./style/controls.css";
import "./style/layout.css";
import "./style/start.css";
import "./style/chat.css";
import "./style/dialogs.css";

// The page can be used while the browser still looks for what it kept.
startConversation();
render(<App />, document.getElementById("page")!);
acceptDrops();
void readConversations();
void loadLast();
void registerServiceWorker();
