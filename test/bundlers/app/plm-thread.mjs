import "plm-wasm/thread";
