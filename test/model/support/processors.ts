/** Processors that a runtime claims to have, rightly or not. */
import platform from "#platform";

/** Makes the runtime claim `count` processors; returns a function that undoes it. */
export function claimProcessors(count: number): () => void {
  const { parallelism } = platform;
  platform.parallelism = () => count;
  return () => {
    platform.parallelism = parallelism;
  };
}
