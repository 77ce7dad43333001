CREATE TABLE products (name VARCHAR(40) NOT NULL);
INSERT INTO products VALUES ('coffee machine');
