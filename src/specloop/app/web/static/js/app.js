// Small enhancements over pages that work without them. Each module looks for its own marks in the page.
import { startAddress } from "./address.js";
import { startClock } from "./clock.js";
import { startConfirm } from "./confirm.js";
import { startCopy } from "./copy.js";
import { startFilters } from "./filters.js";
import { startPalette } from "./palette.js";
import { startTheme } from "./theme.js";
import { startToasts } from "./toasts.js";

document.documentElement.classList.add("js");
startAddress();
startTheme();
startCopy();
startConfirm();
startFilters();
startToasts();
startPalette();
startClock();
