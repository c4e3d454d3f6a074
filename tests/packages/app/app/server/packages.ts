import _ from "lodash";
import { v4, validate } from "uuid";
import { z } from "zod";
import jwt from "jsonwebtoken";
import { MongoClient, ObjectId } from "mongodb";
import { request, Agent } from "undici";
import { createServer } from "node:http";
import { pool, redis } from "../../config/db.js";

const Person = z.object({ name: z.string().min(1), age: z.number().int() });

export const actions = {
  lodash: () => _.chunk(_.range(5), 2),

  uuid: () => validate(v4()),

  zod(person: unknown) {
    const parsed = Person.safeParse(person);
    return parsed.success ? parsed.data : parsed.error.issues.map((issue) => issue.path.join("."));
  },

  jsonwebtoken() {
    const token = jwt.sign({ user: "ann" }, "secret", { expiresIn: "1h" });
    let forged = "";
    try {
      jwt.verify(token, "other");
    } catch (error: any) {
      forged = error.name;
    }
    return [(jwt.verify(token, "secret") as any).user, forged];
  },

  async pg(text: string) {
    const { rows } = await pool.query("insert into notes (text) values ($1) returning id, text, at", [text]);
    const count = await pool.query("select count(*)::int as n from notes");
    return [rows[0].text, rows[0].at instanceof Date, count.rows[0].n];
  },

  async pgFails() {
    await pool.query("select * from nowhere");
  },

  async ioredis() {
    await redis.hset("person", { name: "ann", age: 36 });
    const many = await redis.multi().incr("n").incr("n").exec();
    return [await redis.get("started"), await redis.hgetall("person"), many.map((one: any) => one[1])];
  },

  async mongodb() {
    const client = new MongoClient("mongodb://127.0.0.1:1/x", { serverSelectionTimeoutMS: 50 });
    try {
      await client.connect();
      return "connected";
    } catch (error: any) {
      return [error.name, new ObjectId("507f1f77bcf86cd799439011").getTimestamp().getTime()];
    } finally {
      await client.close();
    }
  },

  async undici() {
    const server = createServer((incoming, answer) => answer.end(`${incoming.method} ${incoming.url}`));
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const agent = new Agent();
    const { statusCode, body } = await request(`http://127.0.0.1:${(server.address() as any).port}/x`, { dispatcher: agent });
    const text = await body.text();
    await agent.close();
    server.close();
    return [statusCode, text];
  },
};
