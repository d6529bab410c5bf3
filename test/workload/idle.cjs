/* Does nothing until it is ended. */
"use strict";
setInterval(() => {}, 1000);
