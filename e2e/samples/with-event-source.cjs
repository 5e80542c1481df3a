// What a browser has: a global EventSource. This one sends the headers that the document's sample hands to it.
globalThis.EventSource = require('eventsource-with-headers');
