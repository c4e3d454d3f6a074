declare const SS: any;
