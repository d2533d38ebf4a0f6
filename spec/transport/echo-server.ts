import { once } from "node:events";
import { createServer, type AddressInfo, type ListenOptions, type Server, type Socket } from "node:net";

const servers = new Set<EchoServer>();

/** Sends back what it gets. */
export class EchoServer {
  readonly sockets = new Set<Socket>();
  connections = 0;

  constructor(readonly server: Server) {
    servers.add(this);
    server.on("connection", (socket: Socket) => {
      this.connections += 1;
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    if (this.server.listening) await new Promise((resolve) => this.server.close(resolve));
  }
}

export async function startEchoServer(options: ListenOptions = { host: "127.0.0.1", port: 0 }): Promise<EchoServer> {
  return listen(createServer({ noDelay: true }, echo), options);
}

export async function listen(server: Server, options: ListenOptions): Promise<EchoServer> {
  const echoServer = new EchoServer(server);
  server.listen(options);
  await once(server, "listening");
  return echoServer;
}

export function echo(socket: Socket): void {
  socket.on("error", () => undefined);
  socket.on("data", (bytes) => socket.write(bytes));
}

/** For `afterEach`. */
export async function stopServers(): Promise<void> {
  await Promise.all([...servers].map((server) => server.stop()));
  servers.clear();
}
