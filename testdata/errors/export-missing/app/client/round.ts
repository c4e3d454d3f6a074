export interface Round { radius: number }
export interface Square { side: number }
