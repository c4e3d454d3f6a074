export interface Place {
  name: string;
  size: number;
}
