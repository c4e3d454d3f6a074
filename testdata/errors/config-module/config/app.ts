// The port: a string by mistake.
const port: string = "many";

export const config = {
  http: { port },
  rtm: { enabled: true },
  limits: { message_byte: 1 },
};
