require("http").createServer((request, response) => setTimeout(() => response.end("ok"), 1500)).listen(3000)
