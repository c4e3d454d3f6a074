declare const build_of: string;
