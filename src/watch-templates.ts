import { watchFile } from "./lib/watch-file.ts";

/** Watches the files that a template consists of, which is only known after it was rendered. */
export interface TemplateWatch {
  /** Watches exactly these files from now on. */
  update(files: readonly string[]): void;
}

/** `onChange` is called whenever one of the files changes, until `signal` aborts. */
export function watchTemplates(onChange: () => void, signal: AbortSignal): TemplateWatch {
  const watched = new Map<string, AbortController>();
  return {
    update: (files) => {
      for (const [file, controller] of watched) {
        if (files.includes(file)) continue;
        controller.abort();
        watched.delete(file);
      }
      for (const file of files) {
        if (watched.has(file)) continue;
        const controller = new AbortController();
        watched.set(file, controller);
        watchFile(file, onChange, { signal: AbortSignal.any([signal, controller.signal]) });
      }
    },
  };
}
