/** Whose words are read beside our own labels. */
export interface ForeignTools {
  /** `SERVICE_…` */
  readonly registrator: boolean;
  /** `VIRTUAL_…` and `NETWORK_ACCESS` */
  readonly nginxProxy: boolean;
}
