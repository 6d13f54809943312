import "plm-wasm/worker";
