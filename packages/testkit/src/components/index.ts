/** Real components, started privately for tests, labs and the demo: own folder, free ports on 127.0.0.1, own handle. */
export { chromiumFlags, findChromium } from './chromium.js'
export { findBinary, MissingComponent } from './find-binary.js'
export { findNode } from './find-node.js'
export { freePort } from './free-port.js'
export { startHaproxy, type Haproxy, type HaproxySite } from './haproxy.js'
export { startNginx, type Nginx, type NginxSite } from './nginx.js'
export { startPostgres, type Postgres } from './postgres.js'
export { startRedis, startRedisCluster, type Redis, type RedisCluster } from './redis.js'
