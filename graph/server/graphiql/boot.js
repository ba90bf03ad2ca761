/* Starts GraphiQL on our own endpoint. Loaded after React, ReactDOM and GraphiQL (globals). */
"use strict";

(function () {
  const ENDPOINT = "/graphql";
  const EXAMPLE = "/graphiql/example.graphql";

  /** Send one operation as POST JSON; headers from the Headers tab win over ours. */
  async function fetcher(params, options) {
    const headers = new Headers({
      Accept: "application/graphql-response+json, application/json",
      "Content-Type": "application/json",
    });
    for (const [name, value] of Object.entries((options && options.headers) || {})) {
      headers.set(name, String(value));
    }
    const response = await fetch(ENDPOINT, {
      method: "POST",
      headers,
      body: JSON.stringify(params),
      credentials: "same-origin",
    });
    const text = await response.text();
    try {
      return JSON.parse(text);
    } catch {
      const status = `HTTP ${response.status} ${response.statusText}`.trim();
      return { errors: [{ message: `${status}: the answer is not JSON: ${text.slice(0, 300)}` }] };
    }
  }

  /** The query shown when the browser holds no earlier tabs; undefined keeps GraphiQL's own. */
  async function exampleQuery() {
    try {
      const response = await fetch(EXAMPLE, { credentials: "same-origin" });
      return response.ok ? await response.text() : undefined;
    } catch {
      return undefined;
    }
  }

  async function start() {
    const defaultQuery = await exampleQuery();
    const root = ReactDOM.createRoot(document.getElementById("graphiql"));
    root.render(
      React.createElement(GraphiQL, {
        fetcher,
        defaultQuery,
        isHeadersEditorEnabled: true,
        shouldPersistHeaders: false,
      }),
    );
  }

  start();
})();
