/** Whether an element can be seen: it is in the window, and the window is shown. */
import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

export function useVisibility(ref: RefObject<Element | null>): boolean {
  const [isInWindow, setIsInWindow] = useState(false);
  const [isShown, setIsShown] = useState(document.visibilityState === "visible");
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => {
      setIsInWindow(entries.at(-1)?.isIntersecting ?? false);
    });
    if (ref.current) observer.observe(ref.current);
    const onChange = (): void => setIsShown(document.visibilityState === "visible");
    document.addEventListener("visibilitychange", onChange);
    return () => {
      observer.disconnect();
      document.removeEventListener("visibilitychange", onChange);
    };
  }, [ref]);
  return isInWindow && isShown;
}
