interface Features { upload: boolean }
const features: Features = { upload: true };

export default { client: { features, list: [3], node_env: process.env.NODE_ENV } };
