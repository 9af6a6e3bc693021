export interface EngineOptions {
  /** Names it in messages. */
  name: string;
  /** Where images, containers and the log live; on a file system that can hold overlays, such as ext4. */
  dir: string;
  /** Containers run on while the engine is down. */
  liveRestore?: boolean;
  /** More flags of dockerd, for instance to listen elsewhere too. */
  flags?: readonly string[];
  /** It goes on running when this process ends. */
  detached?: boolean;
  /** A network namespace for it and its containers; that of this process when not given. */
  namespace?: EngineNamespace;
}

/** Where an engine runs as if on a machine of its own. Whoever made the namespace removes it. */
export interface EngineNamespace {
  /** As in `ip netns`. */
  name: string;
  /** Address and size of the network of its containers, "10.115.11.1/24". */
  containers: string;
  /** Networks that are made later come from this one, "10.115.160.0/20". */
  pool: string;
}
