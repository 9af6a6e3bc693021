/** One thing that the doctor looked at: fine, or what is wrong and what to do. */
export interface Finding {
  readonly what: string;
  readonly state: "good" | "warning" | "bad";
  readonly detail: string;
}

export const good = (what: string, detail: string): Finding => ({ what, state: "good", detail });
export const warning = (what: string, detail: string): Finding => ({ what, state: "warning", detail });
export const bad = (what: string, detail: string): Finding => ({ what, state: "bad", detail });
