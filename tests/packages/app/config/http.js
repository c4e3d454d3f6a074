const connect = require("connect");
const express = require("express");
const helmet = require("helmet");
const bodyParser = require("body-parser");

const app = express();
app.use(helmet({ contentSecurityPolicy: false }));
app.use("/echo", bodyParser.json(), bodyParser.urlencoded({ extended: true }));
app.post("/echo", (request, response) => {
  response.json({ body: request.body, ip: request.ip, secure: request.secure, host: request.hostname });
});
app.get("/hello/:name", (request, response) => response.send(`hello ${request.params.name} ${request.query.x ?? ""}`));
app.get("/file", (request, response) => response.sendFile(`${__dirname}/none`, (error) => response.status(404).send(error.code)));
app.get("/broken", async () => {
  throw new Error("broken in express");
});
app.use((error, request, response, next) => {
  if (error.message !== "broken in express") return next(error);
  response.status(502).json({ error: error.message });
});

const plain = connect();
plain.use("/plain", (request, response) => response.end(`plain ${request.url}`));

exports.middleware = [app, plain];
