// A shop that asks Unleash, again and again, whether its new checkout is on.
// Its new checkout breaks once the file BROKEN is there; the old one does not.
const fs = require('node:fs');
const http = require('node:http');
const { initialize } = require('unleash-client');

const { BROKEN, CUSTOMER, PORT, UNLEASH_TOKEN, UNLEASH_URL } = process.env;
const flags = initialize({
  url: UNLEASH_URL,
  appName: 'shop',
  instanceId: PORT,
  environment: 'development',
  refreshInterval: 500,
  disableMetrics: true,
  disableAutoStart: false,
  backupPath: process.env.BACKUP,
  customHeaders: { Authorization: UNLEASH_TOKEN },
});
flags.on('error', () => {}); // Unleash may be away: the flags stay as they were

http
  .createServer((request, response) => {
    const fresh = flags.isEnabled('new-checkout');
    if (request.url === '/flag') {
      response.end(fresh ? 'on\n' : 'off\n');
      return;
    }
    if (request.url !== '/checkout') {
      response.writeHead(404).end();
      return;
    }
    if (request.headers.authorization !== CUSTOMER) {
      response.writeHead(401).end();
      return;
    }
    const broken = fresh && fs.existsSync(BROKEN);
    response.writeHead(broken ? 500 : 200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ checkout: broken ? 'out of order' : 'open' }));
  })
  .listen(Number(PORT), '127.0.0.1');
