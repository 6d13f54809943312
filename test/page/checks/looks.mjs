// Each screen at a phone's and a desktop's size, light and dark: no violation, nothing cut off.
import { assertAccessible, assertFits } from "../browsers.mjs";
import { SCREENS, SIZES, startLook } from "../screens.mjs";
import { visit } from "../visit.mjs";

const looks = Object.entries(SIZES).flatMap(([sizeName, size]) =>
  ["light", "dark"].map((scheme) => [`${sizeName}, ${scheme}: axe finds nothing`, size, scheme]),
);

export default Object.fromEntries(
  looks.map(([what, size, scheme]) => [
    what,
    (run) =>
      visit(
        run,
        async (page) => {
          await startLook(page, scheme);
          for (const [name, show] of Object.entries(SCREENS)) {
            await show(page);
            await assertAccessible(page, name);
            await assertFits(page, name);
          }
        },
        { size },
      ),
  ]),
);
