export * from 'postern:handover/people@0.1.0';
