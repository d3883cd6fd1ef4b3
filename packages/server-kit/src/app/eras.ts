// The eras that an endpoint serves, a line each: without its line and its folder an era is gone.
export { era2025 } from '../era-2025/http-era.ts';
export { era2026 } from '../era-2026/http-era.ts';
