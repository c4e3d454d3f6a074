declare namespace SS {
  interface EventParams {
    'marker:put': { name: string; at: import('../app/shared/geometry').Point };
  }
}
