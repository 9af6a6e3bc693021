# HAProxy from Debian that behaves like the official image: same user, folders, entry point and signals.
FROM local/debian:trixie
RUN groupmod --gid 99 haproxy && usermod --uid 99 --gid 99 haproxy \
 && mkdir -p /usr/local/etc/haproxy /var/lib/haproxy && chown -R haproxy:haproxy /var/lib/haproxy
COPY --chmod=755 docker-entrypoint.sh /usr/local/bin/
STOPSIGNAL SIGUSR1
USER haproxy
WORKDIR /var/lib/haproxy
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]
