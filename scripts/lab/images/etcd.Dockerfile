# etcd from Debian that behaves like the image of the etcd project: binaries in /usr/local/bin, no entry point.
FROM local/debian:trixie
RUN ln -s /usr/bin/etcd /usr/bin/etcdctl /usr/local/bin/
EXPOSE 2379 2380
CMD ["/usr/local/bin/etcd"]
